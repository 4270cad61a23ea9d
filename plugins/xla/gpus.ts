// What XLA's compiler must know of a GPU that isn't here: the message `GpuTargetConfigProto` as text, from the data sheets.

interface Gpu {
  /** The driver's name of it, by which `core/hardware.ts` knows the peak. */
  readonly name: string;
  /** Major and minor version of the compute capability. */
  readonly capability: readonly [major: number, minor: number];
  /** Has instructions that later generations don't (`sm_90a`), and libraries that count on them. */
  readonly accelerated: boolean;
  readonly multiprocessors: number;
  /** Float32 units of a multiprocessor. */
  readonly units: number;
  readonly gigahertz: number;
  readonly memoryBytes: number;
  readonly bytesPerSecond: number;
  readonly l2Bytes: number;
  /** Shared memory of a multiprocessor, and the most of it that a block can ask for. */
  readonly sharedBytes: readonly [multiprocessor: number, block: number];
}

const hopper = {
  capability: [9, 0],
  accelerated: true,
  multiprocessors: 132,
  units: 128,
  gigahertz: 1.98,
  l2Bytes: 50 << 20,
  sharedBytes: [228 << 10, 227 << 10],
} as const;

export const gpus: Readonly<Record<string, Gpu>> = {
  a100: {
    name: 'NVIDIA A100-SXM4-80GB',
    capability: [8, 0],
    accelerated: false,
    multiprocessors: 108,
    units: 64,
    gigahertz: 1.41,
    memoryBytes: 85_100_068_864,
    bytesPerSecond: 2039e9,
    l2Bytes: 40 << 20,
    sharedBytes: [164 << 10, 163 << 10],
  },
  h100: {
    ...hopper,
    name: 'NVIDIA H100 80GB HBM3',
    memoryBytes: 84_942_979_072,
    bytesPerSecond: 3352e9,
  },
  h200: {
    ...hopper,
    name: 'NVIDIA H200 141GB HBM3e',
    memoryBytes: 151_397_597_184,
    bytesPerSecond: 4800e9,
  },
};

/** The text that the CUDA plugin takes as `target_config`. */
export function targetConfig(gpu: Gpu): string {
  const [major, minor] = gpu.capability;
  const [sharedCore, sharedBlock] = gpu.sharedBytes;
  const features = gpu.accelerated ? 'ACCELERATED_FEATURES' : 'NONE';
  return `
    gpu_device_info {
      threads_per_warp: 32
      threads_per_block_limit: 1024
      threads_per_core_limit: 2048
      block_dim_limit_x: ${2 ** 31 - 1}
      block_dim_limit_y: ${2 ** 16 - 1}
      block_dim_limit_z: ${2 ** 16 - 1}
      registers_per_core_limit: ${2 ** 16}
      registers_per_block_limit: ${2 ** 16}
      shared_memory_per_block: ${48 << 10}
      shared_memory_per_core: ${sharedCore}
      shared_memory_per_block_optin: ${sharedBlock}
      core_count: ${gpu.multiprocessors}
      fpus_per_core: ${gpu.units}
      clock_rate_ghz: ${gpu.gigahertz}
      device_memory_size: ${gpu.memoryBytes}
      memory_bandwidth: ${gpu.bytesPerSecond}
      l2_cache_size: ${gpu.l2Bytes}
      cuda_compute_capability { major: ${major} minor: ${minor} feature_extension: ${features} }
    }
    platform_name: "CUDA"
    dnn_version_info { major: 9 minor: 10 }
    runtime_version { major: 13 }
    device_description_str: "${gpu.name}"
  `;
}
