// What the tests of the PJRT layer share. They need the CPU plugin: without it they are skipped.

import { installed } from '../../../../plugins/xla/install';
import { Client, type ClientOptions } from '../../../../plugins/xla/pjrt';

const plugin = installed('cpu');

/** Install with `bv runtime install cpu`. */
export const describeWithPlugin = plugin ? describe : describe.skip;

export const pluginPath = (): string => plugin!;

/** A client of the tests in a describe block, with `devices` virtual devices. */
export function useClient(devices = 1, options: ClientOptions = {}): () => Client {
  let client: Client;
  beforeAll(() => {
    client = Client.create(pluginPath(), { cpuDeviceCount: devices, ...options });
  });
  afterAll(() => client.dispose());
  return () => client;
}

/** A module whose @main has these arguments, body and results, as StableHLO text. */
export function moduleOf(args: string, body: string, results: string, attributes = ''): string {
  return `module @test ${attributes} {
    func.func public @main(${args}) -> (${results}) {
      ${body}
    }
  }`;
}
