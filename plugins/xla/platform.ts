// Which PJRT plugin runs: the one that was asked for, or the best that is installed and has a device.

import { existsSync } from 'node:fs';
import { installed, type PluginName } from './install';

export const platforms = ['cpu', 'cuda12', 'cuda13', 'tpu'] as const satisfies readonly PluginName[];

const accelerators: readonly { readonly name: PluginName; readonly devices: readonly string[] }[] = [
  { name: 'tpu', devices: ['/dev/accel0', '/dev/vfio/0'] },
  { name: 'cuda13', devices: ['/dev/nvidia0'] },
  { name: 'cuda12', devices: ['/dev/nvidia0'] },
];

/** BV_PJRT_PLUGIN names a file and makes the choice moot: its platform counts as the CPU's here. */
export function choosePlatform(asked: PluginName | 'auto'): PluginName {
  if (asked !== 'auto') return asked;
  if (process.env.BV_PJRT_PLUGIN) return 'cpu';
  const found = accelerators.find(
    ({ name, devices }) => devices.some((file) => existsSync(file)) && installed(name),
  );
  return found?.name ?? 'cpu';
}
