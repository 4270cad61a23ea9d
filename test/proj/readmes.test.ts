// The pages of the projects have one form, and their commands name configs and arguments that there are.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { findConfig, loadConfig } from '../../core/config/load';
import { resolveConfig } from '../../core/config/resolve';
import { openSession } from '../../core/workspace/session';

const root = path.resolve(__dirname, '../..');
const pageOf = (project: string) => path.join(root, 'proj', project, 'README.md');
const projects = fs.readdirSync(path.join(root, 'proj')).filter((project) => fs.existsSync(pageOf(project)));

const { registry, plugins } = openSession(root);
const context = { registry, plugins: plugins.map(({ plugin }) => plugin) };

describe.each(projects)('%s', (project) => {
  const text = fs.readFileSync(pageOf(project), 'utf8');

  it('has the sections of all, and a link to its paper above them', () => {
    const [head, ...sections] = text.split(/^## /m) as [string, ...string[]];
    expect(head).toMatch(/https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}/);
    const titles = sections.map((section) => section.split('\n', 1)[0]);
    expect(titles).toEqual(['Method', 'Code', 'Running', 'Numbers', 'What differs']);
    expect((sections[0]!.match(/^\d\. /gm) ?? []).length).toBeLessThanOrEqual(5);
  });

  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!.replaceAll('\\\n', ' '));
  const commands = blocks.flatMap((block) => block.split('\n').filter((line) => line.includes('--config ')));

  it.each(commands)('%s', async (command) => {
    const [, spec = ''] = /--config (\S+)/.exec(command) ?? [];
    const overrides = [...command.matchAll(/--config\.([\w.]+)=(\S+)/g)].map(([, key = '', value = '']) => ({
      path: key,
      value,
    }));
    const config = await loadConfig(findConfig(spec, [root]));
    expect(() => resolveConfig(config, overrides, context)).not.toThrow();
  });

  it('links to files that there are', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);
    const missing = links.filter((link) => !fs.existsSync(path.resolve(path.dirname(pageOf(project)), link)));
    expect(missing).toEqual([]);
  });
});
