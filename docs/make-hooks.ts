// Writes docs/hooks.md, the reference of the trainer's hooks, from their table, their types and the sources of the stock
// plugins and projects.
//
//   npm run docs      (or: node -r ./core/register docs/make-hooks.ts [FILE])

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as prettier from 'prettier';
import ts from 'typescript';
import { type HookName, hookTable } from '../core/hooks';

const root = path.join(__dirname, '..');
const hooksFile = path.join(root, 'docs', 'hooks.md');
const [output = hooksFile] = process.argv.slice(2);

const parse = (file: string) =>
  ts.createSourceFile(file, fs.readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);

/** The hooks that a source taps: it calls `hooks.NAME.tap(...)`. */
function tappedIn(file: string): Set<string> {
  const tapped = new Set<string>();
  const visit = (node: ts.Node): void => {
    const called = ts.isCallExpression(node) ? node.expression : undefined;
    if (called && ts.isPropertyAccessExpression(called) && /^tap(Promise)?$/.test(called.name.text)) {
      const hook = called.expression;
      if (ts.isPropertyAccessExpression(hook) && hook.expression.getText() === 'hooks') {
        tapped.add(hook.name.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return tapped;
}

function sourcesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.posix.join(folder, file))
    .sort();
}

/** Where a declaration of core/hooks.ts stands, and how it is written: its types are those of the code. */
const declarations = new Map(
  parse('core/hooks.ts').statements.flatMap((node): [string, ts.Node][] =>
    ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ? [[node.name.text, node]] : [],
  ),
);
const members = new Map(
  (declarations.get('TrainerHooks') as ts.InterfaceDeclaration).members.map((member) => [
    (member.name as ts.Identifier).text,
    (member as ts.PropertySignature).type as ts.TypeReferenceNode,
  ]),
);
const oneLine = (node: ts.Node) => node.getText().replace(/\s+/g, ' ');

/** `batch: HostBatch, step: number, run: Run`, from the names of the table and the types of the hook. */
function signature(name: HookName): string {
  const type = members.get(name) as ts.TypeReferenceNode;
  const types = (type.typeArguments?.[0] as ts.TupleTypeNode).elements.map(oneLine);
  const args = hookTable[name].args.map((argument, i) => `${argument}: ${types[i]}`);
  const kind = type.typeName.getText();
  const result = kind.includes('Waterfall') ? (types[0] as string) : 'void';
  return `(${args.join(', ')}) => ${kind.startsWith('Async') ? `Promise<${result}>` : result}`;
}

function section(name: HookName, files: readonly string[]): string {
  const { place, doc, since } = hookTable[name];
  const async = (members.get(name) as ts.TypeReferenceNode).typeName.getText().startsWith('Async');
  const [, wrapped] = /^\((?:\w+): (\w+Fn)\b/.exec(signature(name)) ?? [];
  const declared = wrapped === undefined ? undefined : declarations.get(wrapped);
  const code = [`hooks.${name}.${async ? 'tapPromise' : 'tap'}('mine', ${signature(name)});`];
  if (declared) code.unshift(declared.getText().replace(/^export /, ''));
  const who = files.map((file) => `[${file}](../${file})`);
  return [
    `## ${name}`,
    `*${place}, since ${since}.* ${doc}`,
    `\`\`\`ts\n${code.join('\n')}\n\`\`\``,
    `Tapped by: ${who.length > 0 ? who.join(', ') : 'none of the stock plugins and projects'}.`,
  ].join('\n\n');
}

/** The text of docs/hooks.md. */
async function hooksReference(): Promise<string> {
  const sources = ['plugins', 'proj'].flatMap(sourcesIn).map((file) => ({ file, tapped: tappedIn(file) }));
  const names = Object.keys(hookTable) as HookName[];
  const shared = ['TrainState', 'StepContext', 'LossResult'].map((name) =>
    (declarations.get(name) as ts.Node).getText().replace(/^export /, ''),
  );
  const text = [
    '<!-- Made by `npm run docs` from core/hooks.ts and the sources of the stock plugins: change those. -->',
    '# Hooks',
    'A plugin changes the trainer by tapping these hooks in its `apply` ([plugins](plugins.md), [a first project](first-project.md)). They stand in the order in which a run calls them.',
    '- **host**: called between steps, with plain data. What it returns goes on to the next tap and to the trainer.\n' +
      '- **traced**: called when the step is built, with a function of the step. Return the one to use instead: what it computes is compiled into the step.',
    'Taps run by `stage` (`Stage.early`, `normal`, `late`), then in the order of registration. Shared by traced functions:',
    `\`\`\`ts\n${shared.join('\n\n')}\n\`\`\``,
    ...names.map((name) =>
      section(
        name,
        sources.filter(({ tapped }) => tapped.has(name)).map(({ file }) => file),
      ),
    ),
  ].join('\n\n');
  const style = (await prettier.resolveConfig(hooksFile)) ?? {};
  return prettier.format(text, { ...style, parser: 'markdown' });
}

void hooksReference().then((text) => fs.writeFileSync(output, text));
