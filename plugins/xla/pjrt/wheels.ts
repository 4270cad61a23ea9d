// The PJRT plugins that we install, as wheels pinned by name, version and hash.

/** Node's names of the processors that wheels exist for. */
export type Architecture = 'x64' | 'arm64';

export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** By processor; absent where there is no wheel. All are for Linux with glibc. */
  readonly sha256: Readonly<Partial<Record<Architecture, string>>>;
}

export interface PluginWheels {
  /** The plugin itself first, then the libraries that it loads. */
  readonly wheels: readonly [Wheel, ...Wheel[]];
  /** The plugin's shared library, in the unpacked wheels. */
  readonly library: string;
  /** The version of the PJRT C API that it speaks. */
  readonly api: string;
}

const wheel = (project: string, version: string, sha256: Wheel['sha256']): Wheel => ({
  project,
  version,
  sha256,
});

export const pluginWheels = {
  cpu: {
    library: 'xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so',
    api: '0.81',
    wheels: [
      wheel('xla-cpu-pjrt', '0.0.1', {
        x64: '55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc',
        arm64: '8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9',
      }),
    ],
  },
  // The NVIDIA libraries are those that the plugin's own package asks for, less two of C++ headers only.
  cuda13: {
    library: 'jax_plugins/xla_cuda13/xla_cuda_plugin.so',
    api: '0.116',
    wheels: [
      wheel('jax-cuda13-pjrt', '0.12.0.1', {
        x64: '5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90',
        arm64: '40758d042df8c06991b6a1a8016b56e9cefb1ed4c677c062125c3eb71c3dab97',
      }),
      wheel('nvidia-cublas', '13.10.0.20', {
        x64: 'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84',
        arm64: 'c5f3418c0a845232a8cabc58f6fa52cfae7d8bd3680d94c3907aca710fd48d70',
      }),
      wheel('nvidia-cuda-cupti', '13.5.25', {
        x64: '9dcca41c12a734192b14e7128ae116bc9ce1b9da686e2ebf48ae7a4415f76650',
        arm64: 'd7e4d908315461b6ecbdadfd3c403cc796ed218b293ad117568c947e811cff28',
      }),
      wheel('nvidia-cuda-nvcc', '13.5.37', {
        x64: 'f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7',
        arm64: '588eda18eb5076ae859fe272844b526459228af22df0b117f54eec3aa82bc9c8',
      }),
      wheel('nvidia-cuda-nvrtc', '13.5.37', {
        x64: '86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc',
        arm64: '36e4fa2a8ada293f5693d308e531c196ab6f91cf7a0ff479bf96a537d43a6096',
      }),
      wheel('nvidia-cuda-runtime', '13.5.37', {
        x64: 'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d',
        arm64: 'de2dc5a7367974228b0a69588a9acc9340d3768bef1bf38bf0801eb08497cd2d',
      }),
      wheel('nvidia-cudnn-cu13', '9.28.1.4', {
        x64: 'a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec',
        arm64: '759b6a4919951ed8ec603dec97b96f6a6396c8269b95b3d345526e2471fb433d',
      }),
      wheel('nvidia-cufft', '12.5.0.14', {
        x64: 'b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad',
        arm64: '091cde103312d6e09366122fe3f67092dcfd94cc9785029d695d6bcffaa76fdf',
      }),
      wheel('nvidia-cusolver', '12.4.1.2', {
        x64: 'b3b8e02fd2f2df869369af075dc3a179d43f6f7b85e94632a7dce556697be044',
        arm64: '1f54c8e0d5b1ebd183b4c5a79f0709fa90241e8254da381ca5b969ee97c8de32',
      }),
      wheel('nvidia-cusparse', '12.9.4.2', {
        x64: '072667e58c851a318738f5527a12eb225cbf058803f2ea451c722d8cf8edddec',
        arm64: 'e2ce97f185c9c4b285e4a8fbf02cb96dd1b8dd66736ebe2f0a8da5f6012a4fb7',
      }),
      wheel('nvidia-nccl-cu13', '2.32.3', {
        x64: '1459723080ac889d73a26edfa3e04383a7928ab31ac8f0ec43b3ea9548b04ff3',
        arm64: 'a5bee92b2f4af218c109f8d221c3c9adcc752b94ae0ffcb0ed5abf9341a7724c',
      }),
      wheel('nvidia-nvjitlink', '13.5.37', {
        x64: '280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb',
        arm64: '893f6f9a55b2720ed94913b5ba3332e972da8c78dfa2863d0244403dbd528ffc',
      }),
      wheel('nvidia-nvshmem-cu13', '3.8.0', {
        x64: '81a4d1f666543e6d34df6d2ff940c7da1435e34e186aab6f3c2b48861b64ef38',
        arm64: '8120175024f52a64323cfc5d645e95ac7345f1ee243a998d140ce19163285294',
      }),
      wheel('nvidia-nvvm', '13.5.37', {
        x64: 'c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070',
        arm64: 'b659bd3115b7ac7ec8931e67d0e2c0dd09cd35b08a6a7372df6f8f22c67da80a',
      }),
    ],
  },
  cuda12: {
    library: 'jax_plugins/xla_cuda12/xla_cuda_plugin.so',
    api: '0.116',
    wheels: [
      wheel('jax-cuda12-pjrt', '0.12.0.1', {
        x64: '5ec28e06198d094031c37590b4ea753ae8cde4879ab4b60baf40f0dffb673286',
        arm64: 'e6aa6c58c5420c1bda22db31a2f6c5c1d0a66cb701eeb731feae44fef197717c',
      }),
      wheel('nvidia-cublas-cu12', '12.9.3.13', {
        x64: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
        arm64: '918a8781956115d34b1db49e0e7b7befba8d101661c4b560ed4d42e0e17bebc3',
      }),
      wheel('nvidia-cuda-cupti-cu12', '12.9.79', {
        x64: '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
        arm64: '791853b030602c6a11d08b5578edfb957cadea06e9d3b26adbf8d036135a4afe',
      }),
      wheel('nvidia-cuda-nvcc-cu12', '12.9.86', {
        x64: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
        arm64: '44e1eca4d08926193a558d2434b1bf83d57b4d5743e0c431c0c83d51da1df62b',
      }),
      wheel('nvidia-cuda-nvrtc-cu12', '12.9.86', {
        x64: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
        arm64: '096d4de6bda726415dfaf3198d4f5c522b8e70139c97feef5cd2ca6d4cd9cead',
      }),
      wheel('nvidia-cuda-runtime-cu12', '12.9.79', {
        x64: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
        arm64: '83469a846206f2a733db0c42e223589ab62fd2fabac4432d2f8802de4bded0a4',
      }),
      wheel('nvidia-cudnn-cu12', '9.28.0.42', {
        x64: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
        arm64: 'f88db8fc1a0a5f458e19aa7b08fbe3500aeb9e2bb8dea6293ecbce170364ad72',
      }),
      wheel('nvidia-cufft-cu12', '11.4.1.4', {
        x64: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
        arm64: '1a28c9b12260a1aa7a8fd12f5ebd82d027963d635ba82ff39a1acfa7c4c0fbcf',
      }),
      wheel('nvidia-cusolver-cu12', '11.7.5.82', {
        x64: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
        arm64: '62efa83e4ace59a4c734d052bb72158e888aa7b770e1a5f601682f16fe5b4fd2',
      }),
      wheel('nvidia-cusparse-cu12', '12.5.10.65', {
        x64: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
        arm64: '221c73e7482dd93eda44e65ce567c031c07e2f93f6fa0ecd3ba876a195023e83',
      }),
      wheel('nvidia-nccl-cu12', '2.32.3', {
        x64: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
        arm64: '061af42ae1044816820e16b872075e243d1ac0656f51860fbc8e106c257aa83a',
      }),
      wheel('nvidia-nvjitlink-cu12', '12.9.86', {
        x64: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
        arm64: '994a05ef08ef4b0b299829cde613a424382aff7efb08a7172c1fa616cc3af2ca',
      }),
      wheel('nvidia-nvshmem-cu12', '3.8.0', {
        x64: 'b2e5760d6158aefe7bb74348d5128bb1b46a7dd1fd4b7b1e6fe55b4b07888f70',
        arm64: '313ba41c8aacf03f9524ca83ddb2c62e7b3d82f71af815a35e3739f3d64452b2',
      }),
    ],
  },
  tpu: {
    library: 'libtpu/libtpu.so',
    api: '0.117',
    wheels: [
      wheel('libtpu', '0.0.52', { x64: 'f76ab1f4d697c346371c50058796f6baa93317b89be8cf8a1012715a2655120d' }),
    ],
  },
} as const satisfies Record<string, PluginWheels>;

export type PluginName = keyof typeof pluginWheels;
