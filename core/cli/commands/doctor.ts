import os from 'node:os';
import pc from 'picocolors';
import satisfies from 'semver/functions/satisfies';
import { ExitCode, UserError } from '../../errors';
import { coreVersion, packageRoot, shortPath } from '../../workspace/paths';
import { openSession, type Session } from '../../workspace/session';
import { heading, print } from '../print';
import { installersOf, openRuntime } from '../runtime';

const ok = pc.green('ok ');
const bad = pc.red('no ');
const off = pc.dim('-  ');

/** Prints what works and the command that fixes what doesn't; succeeds if there is a runtime that works. */
export async function doctor(): Promise<ExitCode> {
  const session = openSession(process.cwd(), { lenient: true });
  heading('Program');
  print(`${ok} big-vision-ts ${coreVersion} in ${shortPath(packageRoot)}`);
  checkNode();
  print(
    `${ok} ${os.type()} ${os.arch()}, ${os.availableParallelism()} cores, ${gib(os.freemem())} of ${gib(os.totalmem())} free`,
  );
  const { workspace } = session;
  print(
    `${ok} workspace ${shortPath(workspace.root)} (${workspace.file ? shortPath(workspace.file) : 'no config file, so the defaults'})`,
  );

  heading('Runtimes');
  const working = await checkRuntimes(session);

  heading('Plugins');
  for (const { plugin, origin, importMs } of session.plugins) {
    print(
      `${ok} ${plugin.name} ${plugin.version}  ${pc.dim(`${origin}, imported in ${importMs.toFixed(0)} ms`)}`,
    );
  }
  for (const { error } of session.failed) print(`${bad} ${error.what}\n    try: ${error.fix}`);
  return working ? ExitCode.ok : ExitCode.failure;
}

function checkNode(): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { engines } = require('../../../package.json') as { engines: { node: string } };
  const fits = satisfies(process.version, engines.node);
  print(`${fits ? ok : bad} Node ${process.version} (needs ${engines.node})`);
  if (!fits) print('    try: install a newer Node.js');
}

async function checkRuntimes(session: Session): Promise<boolean> {
  const names = session.registry.list('runtime').map(({ name }) => name);
  let working = false;
  for (const name of names) {
    const installers = installersOf(session, name);
    for (const { name: installed, installer } of installers) {
      const now = installer.installed();
      if (now) print(`${ok} ${pc.dim(`for ${name}:`)} ${installed} ${now.version}, ${shortPath(now.file)}`);
    }
    // A runtime that would have to fetch something isn't started behind a person's back.
    if (installers.length > 0 && !installers.some(({ installer }) => installer.installed())) {
      const first = installers.find(({ installer }) => installer.automatic) ?? installers[0];
      print(
        `${bad} ${name}: nothing that it runs on is installed\n    try: bv runtime install ${first?.name}`,
      );
      continue;
    }
    try {
      const runtime = await openRuntime(session, { name, note: print });
      print(`${ok} ${name}: ${runtime.description}`);
      await runtime.dispose();
      working = true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      print(`${off} ${name}: ${error.what}\n    try: ${error.fix}`);
    }
  }
  return working;
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
