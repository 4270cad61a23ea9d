import { Container, token } from '../../core/container';

const disk = token<{ write(text: string): void }>('disk');
const store = token<{ save(): string }>('checkpoint store');
const trainer = token<string>('trainer');

test('services are made once, with the services they need', () => {
  const container = Container.create();
  const written: string[] = [];
  let made = 0;
  container.provide(disk, { write: (text) => void written.push(text) });
  container.provideLazily(store, [disk], (disk) => {
    made++;
    return { save: () => (disk.write('saved'), 'ok') };
  });
  expect(container.get(store).save()).toBe('ok');
  expect(container.get(store)).toBe(container.get(store));
  expect([written, made]).toEqual([['saved'], 1]);
});

test('a missing service is reported with the chain that asked for it', () => {
  const container = Container.create();
  container.provideLazily(store, [disk], () => ({ save: () => '' }));
  container.provideLazily(trainer, [store], () => 'trainer');
  expect(() => container.get(trainer)).toThrow(
    'Nothing provides the service "disk". Asked for by: trainer -> checkpoint store.',
  );
  expect(() => container.call('evaluator mean', [disk], () => 1)).toThrow('Asked for by: evaluator mean.');
});

test('a circle is reported as such', () => {
  const container = Container.create();
  container.provideLazily(store, [trainer], () => ({ save: () => '' }));
  container.provideLazily(trainer, [store], () => 'trainer');
  expect(() => container.get(trainer)).toThrow('trainer -> checkpoint store -> trainer');
});

test('a child sees its parent, and keeps its own services to itself', () => {
  const parent = Container.create();
  parent.provide(trainer, 'parent');
  const child = parent.child();
  expect(child.get(trainer)).toBe('parent');
  child.provide(disk, { write: () => undefined });
  expect(child.has(disk)).toBe(true);
  expect(parent.has(disk)).toBe(false);
});
