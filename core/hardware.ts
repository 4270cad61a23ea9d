// What is known of chips by their vendors' names: the peak of their matrix units, and their memory.

export interface Chip {
  /** Short, as in topology names. */
  readonly name: string;
  /** Dense bfloat16 FLOP/s of one device. */
  readonly peakFlops: number;
  /** Bytes of memory of one device, where the platform doesn't say them. */
  readonly memory?: number;
  readonly source: string;
}

const tera = 1e12;
const cloud = 'https://cloud.google.com/tpu/docs/';
const nvidia = 'https://www.nvidia.com/en-us/data-center/';

/** The first pattern that a device's kind matches; kinds are those that PJRT reports. */
const chips: readonly (readonly [kind: RegExp, chip: Chip])[] = [
  // A device of v2 and v3 is one of a chip's two cores.
  [/^TPU v3$/, { name: 'v3', peakFlops: (123 * tera) / 2, source: `${cloud}v3` }],
  [/^TPU v4$/, { name: 'v4', peakFlops: 275 * tera, source: `${cloud}v4` }],
  [/^TPU v5 ?lite|^TPU v5e/, { name: 'v5e', peakFlops: 197 * tera, source: `${cloud}v5e` }],
  [/^TPU v5p?$/, { name: 'v5p', peakFlops: 459 * tera, source: `${cloud}v5p` }],
  [/^TPU v6 ?lite|^TPU v6e/, { name: 'v6e', peakFlops: 918 * tera, source: `${cloud}v6e` }],
  [/A100/, { name: 'a100', peakFlops: 312 * tera, source: `${nvidia}a100` }],
  [/H100.*PCIe/i, { name: 'h100-pcie', peakFlops: 756 * tera, source: `${nvidia}h100` }],
  [/H100/, { name: 'h100', peakFlops: 989 * tera, memory: 80e9, source: `${nvidia}h100` }],
  [/H200/, { name: 'h200', peakFlops: 989 * tera, memory: 141e9, source: `${nvidia}h200` }],
  [/L4$/, { name: 'l4', peakFlops: 121 * tera, source: `${nvidia}l4` }],
];

/** The chip of a device's kind; undefined for CPUs and for what isn't in the table. */
export function chipOf(deviceKind: string): Chip | undefined {
  return chips.find(([kind]) => kind.test(deviceKind))?.[1];
}
