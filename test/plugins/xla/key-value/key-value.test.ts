// The callbacks that PJRT gets, called as PJRT calls them: on threads of C, while the main thread is in a call.

import { installed } from '../../../../plugins/xla/install';
import { freeAddress, startScript } from '../../../support/processes';

(installed('cpu') ? test : test.skip)('two processes put and get; what is missing is an error', async () => {
  const coordinator = await freeAddress();
  const ended = await Promise.all(
    ['0', '1'].map((index) => startScript('key-value.ts', [coordinator, '2', index])),
  );
  for (const { code, stdout, stderr } of ended) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      put_error: 0,
      texts: ['device of 0\0✓', 'device of 1\0✓'],
      // NOT_FOUND and DEADLINE_EXCEEDED.
      missing: { tryGet: 5, get: 4 },
    });
  }
});
