// Installing, with a pip of the test's own on the PATH: no network, and every failure at will.

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { ensureInstalled, install, installed } from '../../../plugins/xla/install';

const onLinux = process.platform === 'linux' && process.arch === 'x64' ? describe : describe.skip;

onLinux('installing a plugin', () => {
  let folder: string;
  let cache: string;
  const { PATH, BV_PJRT_PLUGIN } = process.env;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(tmpdir(), 'bv-install-'));
    cache = path.join(folder, 'cache');
    delete process.env.BV_PJRT_PLUGIN;
  });

  afterEach(() => {
    process.env.PATH = PATH;
    if (BV_PJRT_PLUGIN !== undefined) process.env.BV_PJRT_PLUGIN = BV_PJRT_PLUGIN;
    else delete process.env.BV_PJRT_PLUGIN;
    fs.rmSync(folder, { recursive: true });
  });

  test('nothing is fetched unasked where BV_NO_INSTALL forbids it', async () => {
    process.env.BV_NO_INSTALL = '1';
    try {
      await expect(ensureInstalled('cpu', { cache })).rejects.toMatchObject({
        code: 'runtime/not-installed',
      });
    } finally {
      delete process.env.BV_NO_INSTALL;
    }
  });

  /** A python3 whose `-m pip download` does `download`, in sh: "$downloads" and "$requirements" are set. */
  function fakePip(download: string): void {
    const bin = path.join(folder, 'bin');
    fs.mkdirSync(bin);
    const script = `#!/bin/sh
      case "$*" in *--version*) exit 0;; esac
      while [ $# -gt 0 ]; do
        case "$1" in -d) downloads="$2";; -r) requirements="$2";; esac
        shift
      done
      ${download}`;
    fs.writeFileSync(path.join(bin, 'python3'), script);
    fs.chmodSync(path.join(bin, 'python3'), 0o755);
    process.env.PATH = `${bin}:${PATH}`;
  }

  async function wheel(files: Record<string, string>): Promise<string> {
    const archive = new yazl.ZipFile();
    for (const [name, content] of Object.entries(files)) {
      archive.addBuffer(Buffer.from(content), name, { mode: 0o100755 });
    }
    archive.end();
    const file = path.join(folder, 'fake.whl');
    await pipeline(archive.outputStream, fs.createWriteStream(file));
    return file;
  }

  test('fetches the pinned wheel, unpacks it and says where the library is', async () => {
    const file = await wheel({ 'libtpu/libtpu.so': 'elf', 'libtpu-0.dist-info/METADATA': '' });
    fakePip(
      `echo Saved it; mkdir -p "$downloads"; cp "$requirements" ${folder}/asked; cp ${file} "$downloads"`,
    );
    const lines: string[] = [];
    expect(installed('tpu', cache)).toBeUndefined();
    const library = await install('tpu', { cache, log: (line) => lines.push(line) });
    expect(fs.readFileSync(library, 'utf8')).toBe('elf');
    expect(fs.statSync(library).mode & 0o777).toBe(0o755);
    expect(installed('tpu', cache)).toBe(library);
    expect(fs.readFileSync(path.join(folder, 'asked'), 'utf8')).toMatch(
      /^libtpu==[\d.]+ --hash=sha256:[0-9a-f]{64}\n$/,
    );
    const root = path.dirname(path.dirname(library));
    expect(JSON.parse(fs.readFileSync(path.join(root, 'plugin.json'), 'utf8'))).toMatchObject({
      name: 'tpu',
      library: 'libtpu/libtpu.so',
      wheels: [{ project: 'libtpu', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
    });
    expect(lines[0]).toMatch(/^Fetching libtpu/);
    expect(lines).toContain('Saved it');
    expect(fs.readdirSync(cache)).toEqual([path.basename(root)]);

    fakePipIsGone();
    expect(await ensureInstalled('tpu', { cache })).toBe(library);
  });

  function fakePipIsGone(): void {
    process.env.PATH = path.join(folder, 'nothing');
  }

  test.each([
    ['wheel-hash-mismatch', 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.'],
    [
      'no-network',
      'WARNING: Retrying: Failed to establish a new connection\nERROR: No matching distribution found',
    ],
    ['no-wheel', 'ERROR: No matching distribution found for libtpu'],
    ['pip-failed', 'ERROR: Something else'],
  ])('runtime/%s is told from what pip says', async (code, said) => {
    fakePip(`printf '${said}' >&2; exit 1`);
    await expect(install('tpu', { cache })).rejects.toMatchObject({ code: `runtime/${code}` });
    expect(fs.readdirSync(cache)).toEqual([]);
  });

  test('a machine without pip is an error', async () => {
    fakePipIsGone();
    await expect(install('cpu', { cache })).rejects.toMatchObject({ code: 'runtime/no-pip' });
  });

  test('a cache that is a file is an error', async () => {
    fakePip('exit 1');
    fs.writeFileSync(cache, '');
    await expect(install('cpu', { cache })).rejects.toMatchObject({ code: 'runtime/cache-not-writable' });
  });

  test('BV_PJRT_PLUGIN overrides what is installed', () => {
    const file = path.join(folder, 'mine.so');
    process.env.BV_PJRT_PLUGIN = file;
    expect(() => installed('cpu')).toThrow(
      expect.objectContaining({ code: 'runtime/plugin-override-missing' }),
    );
    fs.writeFileSync(file, '');
    expect(installed('cpu')).toBe(file);
    expect(fs.existsSync(cache)).toBe(false);
  });
});
