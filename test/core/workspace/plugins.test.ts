import { definePlugin, type Plugin } from '../../../core/plugin';
import {
  type FailedPlugin,
  findPlugins,
  type LoadedPlugin,
  orderPlugins,
} from '../../../core/workspace/plugins';
import { findWorkspace } from '../../../core/workspace/workspace';
import { project } from '../../support/cli';

function loaded(name: string, needs: Plugin['needs'] = {}, version = '1.0.0'): LoadedPlugin {
  const plugin = definePlugin({ name, version, core: '^0.1.0', doc: '', needs });
  return { file: `/plugins/${name}/index.ts`, origin: 'workspace', plugin, importMs: 1 };
}
const names = (plugins: readonly LoadedPlugin[]) => plugins.map(({ plugin }) => plugin.name);

test('plugins come after what they need, and otherwise in the order given', () => {
  const plugins = [loaded('d', { c: '^1.0.0' }), loaded('a'), loaded('c', { b: '*' }), loaded('b')];
  expect(names(orderPlugins(plugins))).toEqual(['b', 'c', 'd', 'a']);
});

test.each<[string, LoadedPlugin[], string]>([
  [
    'missing',
    [loaded('a', { bb: '^1.0.0' }), loaded('b')],
    '"a" needs the plugin "bb" (^1.0.0), which isn\'t here. Did you mean "b"?',
  ],
  ['version', [loaded('a', { b: '^2.0.0' }), loaded('b')], '"a" needs "b" ^2.0.0, found 1.0.0'],
  ['range', [loaded('a', { b: 'two' }), loaded('b')], '"two" as its need of "b", which isn\'t a range'],
  [
    'circle',
    [loaded('a', { b: '*' }), loaded('b', { c: '*' }), loaded('c', { b: '*' })],
    'in a circle: b -> c -> b',
  ],
  ['twice', [loaded('a'), loaded('a')], 'Two plugins are called "a"'],
])('error: %s', (_what, plugins, message) => {
  expect(() => orderPlugins(plugins)).toThrow(message);
  const failed: FailedPlugin[] = [];
  expect(names(orderPlugins([...plugins, loaded('fine')], failed))).toContain('fine');
  expect(failed[0]?.error.what).toContain(message.slice(0, 10));
});

test('built-in plugins, folders of the workspace, then named ones; each file once', () => {
  const root = project({
    'proj/mine/index.ts': '',
    'plugins/ours/index.js': '',
    'plugins/not-one/readme.md': '',
    'elsewhere/index.ts': '',
    'single.ts': '',
    'node_modules/bv-plugin-x/package.json': '{"main": "x.js"}',
    'node_modules/bv-plugin-x/x.js': '',
    '.bvrc': JSON.stringify({
      plugins: ['./elsewhere/index.ts', './proj/mine/index.ts', 'bv-plugin-x', './single.ts'],
    }),
  });
  const found = findPlugins(findWorkspace(root));
  const own = found.filter(({ origin }) => origin !== 'built-in');
  expect(found.slice(0, -own.length).every(({ origin }) => origin === 'built-in')).toBe(true);
  expect(own.map(({ file, origin }) => [file.slice(root.length + 1), origin])).toEqual([
    ['plugins/ours/index.js', 'workspace'],
    ['proj/mine/index.ts', 'workspace'],
    ['elsewhere/index.ts', 'named'],
    ['node_modules/bv-plugin-x/x.js', 'named'],
    ['single.ts', 'named'],
  ]);
});
