import { zeros } from '../../../plugins/data-zeros';

test('arrays of the shapes that are asked for, the same at every index', async () => {
  const features = {
    image: { dtype: 'uint8', shape: [4, 4, 3] },
    labels: { dtype: 'int32', shape: [8] },
  } as const;
  const source = zeros({
    features: { image: { dtype: 'uint8', shape: [4, 4, 3] }, labels: { dtype: 'int32', shape: [8] } },
    count: 5,
  });
  expect(source.size).toBe(5);
  const example = await source.get(3);
  expect(example).toMatchObject(features);
  expect(await source.get(4)).toBe(example);
});
