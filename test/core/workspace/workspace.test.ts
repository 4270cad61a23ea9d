import path from 'node:path';
import { findWorkspace } from '../../../core/workspace/workspace';
import { project } from '../../support/cli';

test.each([
  ['.bvrc', '{"plugins": ["x"]}'],
  ['.bvrc', 'plugins: [x]'],
  ['.bvrc.yaml', 'plugins:\n  - x'],
  ['bv.config.ts', "const plugins: string[] = ['x'];\nexport default { plugins };"],
  ['bv.config.js', "module.exports = { plugins: ['x'] };"],
  ['package.json', '{"name": "a", "bv": {"plugins": ["x"]}}'],
])('%s: %s', (name, text) => {
  const root = project({ [name]: text });
  expect(findWorkspace(root)).toEqual({
    root,
    file: path.join(root, name),
    config: { plugins: ['x'], compile_cache: '.cache/compile' },
  });
});

test('the nearest file upwards; a package.json without our key is passed over', () => {
  const root = project({ '.bvrc': 'runtime: cpu', 'a/package.json': '{"name": "a"}', 'a/b/c.txt': '' });
  expect(findWorkspace(path.join(root, 'a', 'b'))).toMatchObject({ root, config: { runtime: 'cpu' } });
});

test('without a file the folder itself, with the defaults', () => {
  const root = project({ 'a.txt': '' });
  expect(findWorkspace(root)).toEqual({ root, config: { plugins: [], compile_cache: '.cache/compile' } });
});

test.each([
  ['{"plugins": "x"}', /"plugins" in .*\.bvrc is "x", expected string\[\]/],
  ['{"plugin": []}', /Unknown key "plugin" in .*\.bvrc\. Did you mean "plugins"\?/],
  ['{"compile_cache": true}', /"compile_cache" in .*\.bvrc is true, expected string \| false/],
  ['{', /\.bvrc can't be read/],
])('error in %s', (text, message) => {
  const root = project({ '.bvrc': text });
  expect(() => findWorkspace(root)).toThrow(message);
});
