// A scene of shapes: what is in it, drawn numbers first, and its picture.

import type { ExampleRng } from '../../core/extensions';

export const shapeNames = ['circle', 'square', 'triangle', 'diamond', 'ring', 'cross'] as const;
export type ShapeName = (typeof shapeNames)[number];

const colours = {
  red: [220, 40, 40],
  green: [40, 160, 60],
  blue: [50, 80, 220],
  yellow: [235, 200, 40],
  purple: [150, 60, 180],
  orange: [240, 140, 30],
  white: [245, 245, 245],
  black: [25, 25, 25],
} as const satisfies Record<string, readonly [red: number, green: number, blue: number]>;
export type Colour = keyof typeof colours;
const colourNames = Object.keys(colours) as Colour[];

export interface Shape {
  readonly name: ShapeName;
  readonly colour: Colour;
  /** Centre and half of the side, as parts of the picture's side. */
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Distance from the viewer in metres, 1 to 9; the background is at 10. */
  readonly depth: number;
}

const backgroundDepth = 10;

/** From the nearest to the farthest. With `perspective` the nearest are the largest, so that size tells depth. */
export function drawScene(rng: ExampleRng, mostShapes: number, perspective = false): Shape[] {
  const count = rng.integer(1, mostShapes + 1);
  const shapes = Array.from({ length: count }, () => {
    const size = rng.uniform();
    const name = shapeNames[rng.integer(0, shapeNames.length)] as ShapeName;
    const colour = colourNames[rng.integer(0, colourNames.length)] as Colour;
    const [across, down, far] = [rng.uniform(), rng.uniform(), rng.uniform()];
    const radius = perspective ? 0.08 + 0.22 * (1 - far) : 0.1 + 0.15 * size;
    const centre = (part: number) => radius + (1 - 2 * radius) * part;
    return { name, colour, x: centre(across), y: centre(down), radius, depth: 1 + 8 * far };
  });
  return shapes.sort((a, b) => a.depth - b.depth);
}

/** Whether a point is in a shape; (u, v) from its centre, in units of its radius, v downwards. */
const inside: Readonly<Record<ShapeName, (u: number, v: number) => boolean>> = {
  circle: (u, v) => u * u + v * v <= 1,
  square: (u, v) => Math.max(Math.abs(u), Math.abs(v)) <= 0.9,
  triangle: (u, v) => v <= 0.8 && Math.abs(u) <= (v + 1) / 1.8,
  diamond: (u, v) => Math.abs(u) + Math.abs(v) <= 1,
  ring: (u, v) => u * u + v * v <= 1 && u * u + v * v >= 0.3,
  cross: (u, v) => Math.max(Math.abs(u), Math.abs(v)) <= 1 && Math.min(Math.abs(u), Math.abs(v)) <= 0.35,
};

export interface Picture {
  /** [size, size, 3] */
  readonly image: Uint8Array;
  /** The place of each pixel's shape among the shapes, from 1; 0 for the background. [size, size, 1] */
  readonly instances: Int32Array;
  /** The place of its name among `shapeNames`, from 1. [size, size, 1] */
  readonly semantics: Int32Array;
  /** Metres. [size, size, 1] */
  readonly depth: Float32Array;
}

/** @param shapes from the nearest to the farthest */
export function paint(shapes: readonly Shape[], size: number): Picture {
  const pixels = size * size;
  const image = new Uint8Array(pixels * 3).fill(128);
  const instances = new Int32Array(pixels);
  const semantics = new Int32Array(pixels);
  const depth = new Float32Array(pixels).fill(backgroundDepth);
  for (let at = 0; at < pixels; at++) {
    const x = ((at % size) + 0.5) / size;
    const y = (Math.floor(at / size) + 0.5) / size;
    const nearest = shapes.findIndex((s) => inside[s.name]((x - s.x) / s.radius, (y - s.y) / s.radius));
    const shape = shapes[nearest];
    if (!shape) continue;
    image.set(colours[shape.colour], at * 3);
    instances[at] = nearest + 1;
    semantics[at] = shapeNames.indexOf(shape.name) + 1;
    depth[at] = shape.depth;
  }
  return { image, instances, semantics, depth };
}

/** "a red circle in front of a blue square and a green ring" */
export function describe(shapes: readonly Shape[]): string {
  const [nearest, ...others] = shapes.map(({ colour, name }) => `${article(colour)} ${colour} ${name}`);
  return others.length === 0 ? (nearest as string) : `${nearest} in front of ${others.join(' and ')}`;
}

const article = (word: string) => (/^[aeiou]/.test(word) ? 'an' : 'a');
