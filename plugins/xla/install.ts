// Installs PJRT plugins: pip fetches pinned wheels and checks their hashes, and we unpack them. Python isn't
// needed afterwards.

import { spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { errors } from './pjrt/errors';
import {
  type Architecture,
  type PluginName,
  type PluginWheels,
  pluginWheels,
  type Wheel,
} from './pjrt/wheels';

export { type PluginName } from './pjrt/wheels';

export interface InstallOptions {
  /** Gets one line of progress at a time. */
  readonly log?: (line: string) => void;
  /** Where plugins go; the default is beside the other things that can be fetched again. */
  readonly cache?: string;
}

const defaultCache = path.resolve(__dirname, '../../node_modules/.cache/big-vision-ts/pjrt');

const entryOf = (name: PluginName): PluginWheels => pluginWheels[name];

const folderOf = (name: PluginName, cache: string) =>
  path.join(cache, `${name}-${entryOf(name).wheels[0].version}`);

/**
 * The shared library of an installed plugin, if there is one. The environment variable BV_PJRT_PLUGIN
 * overrides it for every name.
 *
 * @throws UserError runtime/plugin-override-missing when BV_PJRT_PLUGIN names no file.
 */
export function installed(name: PluginName, cache = defaultCache): string | undefined {
  const override = process.env.BV_PJRT_PLUGIN;
  if (override) {
    if (!existsSync(override)) throw errors.pluginOverrideMissing({ path: override });
    return path.resolve(override);
  }
  const library = path.join(folderOf(name, cache), entryOf(name).library);
  return existsSync(library) ? library : undefined;
}

/** The installed plugin; installs it first when there is none, unless BV_NO_INSTALL forbids to fetch unasked. */
export async function ensureInstalled(name: PluginName, options: InstallOptions = {}): Promise<string> {
  const there = installed(name, options.cache);
  if (there !== undefined) return there;
  if (process.env.BV_NO_INSTALL) throw errors.notInstalled({ name });
  return install(name, options);
}

/**
 * Fetches and unpacks a plugin; one that is there already is replaced.
 *
 * @returns the path of its shared library.
 * @throws UserError runtime/no-pip, runtime/no-wheel, runtime/wheel-hash-mismatch, runtime/no-network,
 *   runtime/pip-failed, runtime/cache-not-writable.
 */
export async function install(name: PluginName, options: InstallOptions = {}): Promise<string> {
  const { log = () => {}, cache = defaultCache } = options;
  const { wheels, library, api } = entryOf(name);
  const pins = wheels.map((wheel) => pinned(name, wheel));
  const python = await findPython();
  const temporary = await temporaryFolder(name, cache);
  try {
    const unpacked = path.join(temporary, 'unpacked');
    for (const pin of pins) {
      log(`Fetching ${pin.project} ${pin.version}`);
      const wheel = await download(python, name, pin, temporary, log);
      await unpack(wheel, unpacked);
      await rm(wheel);
    }
    const facts = { name, version: wheels[0].version, library, api, wheels: pins };
    await writeFile(path.join(unpacked, 'plugin.json'), JSON.stringify(facts, undefined, 2));
    const folder = folderOf(name, cache);
    await rm(folder, { recursive: true, force: true });
    await rename(unpacked, folder).catch((error: NodeJS.ErrnoException) => {
      // Another process has just installed the same wheels.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    log(`Installed ${name} in ${folder}`);
    return path.join(folder, library);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

interface Pin {
  readonly project: string;
  readonly version: string;
  readonly sha256: string;
}

/** The wheel for this machine. */
function pinned(name: PluginName, { project, version, sha256 }: Wheel): Pin {
  const hash = process.platform === 'linux' && isGlibc() ? sha256[process.arch as Architecture] : undefined;
  if (!hash) throw errors.noWheel({ name, project, platform: `${process.platform}-${process.arch}` });
  return { project, version, sha256: hash };
}

function isGlibc(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime !== undefined;
}

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const { code } = await run(python, ['-m', 'pip', '--version']);
    if (code === 0) return python;
  }
  throw errors.noPip();
}

async function temporaryFolder(name: PluginName, cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    // In the cache itself, because a rename can't cross file systems.
    return await mkdtemp(path.join(cache, `.${name}-`));
  } catch (error) {
    throw errors.cacheNotWritable({ folder: cache, reason: (error as Error).message });
  }
}

/** Has pip fetch one wheel into `folder` and check its hash. */
async function download(
  python: string,
  name: PluginName,
  pin: Pin,
  folder: string,
  log: (line: string) => void,
): Promise<string> {
  const requirements = path.join(folder, 'requirements.txt');
  await writeFile(requirements, `${pin.project}==${pin.version} --hash=sha256:${pin.sha256}\n`);
  const downloads = path.join(folder, 'downloads');
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--no-input',
    '--progress-bar=off',
    // Without a network the quick start must not wait for minutes before it goes on with wasm.
    '--retries=2',
    '--timeout=20',
  ];
  // Some wheels exist once for each version of Python, though no Python will load them: this one is pinned.
  const version = ['--python-version=3.12', '--ignore-requires-python'];
  const pip = ['-m', 'pip', 'download', ...options, ...version, '-d', downloads, '-r', requirements];
  const { code, stderr } = await run(python, pip, log);
  if (code !== 0) throw pipError(name, pin, stderr);
  return path.join(downloads, (await readdir(downloads))[0]!);
}

function pipError(name: PluginName, pin: Pin, stderr: string) {
  const about = { name, project: `${pin.project} ${pin.version}` };
  if (/do not match the hashes/i.test(stderr)) return errors.wheelHashMismatch(about);
  if (
    /connection (error|broken|refused)|failed to establish|name resolution|timed out|proxyerror/i.test(stderr)
  ) {
    return errors.noNetwork(about);
  }
  if (/no matching distribution/i.test(stderr)) {
    return errors.noWheel({ ...about, platform: `${process.platform}-${process.arch}` });
  }
  return errors.pipFailed({ ...about, reason: stderr.trim().split('\n').slice(-3).join('\n') });
}

/** Unpacks a wheel whole: libraries find each other by their relative places. */
async function unpack(wheel: string, folder: string): Promise<void> {
  const archive = await yauzl.openPromise(wheel);
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    const file = path.join(folder, entry.fileName);
    await mkdir(path.dirname(file), { recursive: true });
    await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(file));
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    if (mode) await chmod(file, mode);
  }
}

interface Finished {
  readonly code: number;
  readonly stderr: string;
}

/** Runs a command; one that can't be started has code 127, as in a shell. */
function run(command: string, args: readonly string[], log?: (line: string) => void): Promise<Finished> {
  return new Promise((resolve) => {
    const env = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.trim()) log?.(line.trim());
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => resolve({ code: 127, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, stderr }));
  });
}
