// A workspace in a temporary folder, with a plugin of its own: what worker threads need, since they load plugins by path.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { openSession, type Session } from '../../core/workspace/session';
import { temporaryFolder } from './temporary';

const root = path.resolve(__dirname, '../..');

/** `code` is the body of a plugin's `register({ register })`, with `z`, `hostArray`, `HostArray` at hand. */
export function workspaceWith(code: string): Session {
  const folder = temporaryFolder();
  const plugin = path.join(folder, 'plugins', 'for-tests');
  fs.mkdirSync(plugin, { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'for-tests', bv: { plugins: [] } }),
  );
  fs.writeFileSync(
    path.join(plugin, 'index.ts'),
    `
    import { z } from ${JSON.stringify(path.join(root, 'node_modules/zod'))};
    import { HostArray, hostArray } from ${JSON.stringify(path.join(root, 'core/array'))};
    import { definePlugin } from ${JSON.stringify(path.join(root, 'core/plugin'))};
    import { isMainThread } from 'node:worker_threads';
    void [z, HostArray, hostArray, isMainThread];
    export default definePlugin({
      name: 'for-tests', version: '1.0.0', core: '*', doc: 'Data and ops for tests.',
      register({ register }) { ${code} },
    });`,
  );
  return openSession(folder);
}
