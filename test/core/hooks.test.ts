import { checkOrder, createHooks, hookTable, Stage, tapsOf } from '../../core/hooks';

test('the table lists exactly the hooks that exist, with their arguments', () => {
  const hooks = createHooks();
  expect(Object.keys(hookTable).sort()).toEqual(Object.keys(hooks).sort());
  for (const [name, hook] of Object.entries(hooks)) {
    const { _args } = hook as unknown as { _args: string[] };
    expect([name, _args]).toEqual([name, hookTable[name as keyof typeof hookTable].args]);
  }
});

test('the hooks and their table are frozen', () => {
  expect(Object.isFrozen(createHooks())).toBe(true);
  expect(Object.isFrozen(hookTable)).toBe(true);
});

test('stages order the taps', () => {
  const hooks = createHooks();
  hooks.step.tap({ name: 'last', stage: Stage.late }, (options) => ({
    ...options,
    by: `${options.by},last`,
  }));
  hooks.step.tap({ name: 'first', stage: Stage.early }, (options) => ({ ...options, by: 'first' }));
  hooks.step.tap('middle', (options) => ({ ...options, by: `${options.by},middle` }));
  expect(tapsOf(hooks.step).map((tap) => tap.name)).toEqual(['first', 'middle', 'last']);
  expect(hooks.step.call({}, 1, undefined as never)).toEqual({ by: 'first,middle,last' });
});

test('a "before" that names nobody is an error with the nearest name', () => {
  const hooks = createHooks();
  hooks.batch.tap('mixup', (batchFn) => batchFn);
  hooks.batch.tap({ name: 'crop', before: 'mixpu' }, (batchFn) => batchFn);
  expect(() => checkOrder(hooks)).toThrow(/"crop".*"batch".*before "mixpu".*Did you mean "mixup"\?/);
});
