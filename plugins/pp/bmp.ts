// Uncompressed BMP files, which libvips doesn't read.

import { allocate, type HostArray } from '../../core/array';

/** The pixels as red, green, blue; or why there are none. */
export function decodeBmp(bytes: Uint8Array): HostArray<'uint8'> | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 54) return 'the BMP header is cut off';
  const start = view.getUint32(10, true);
  const width = view.getInt32(18, true);
  const rows = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  // 3 is "bit fields", which 32-bit files use for the usual order of channels.
  if ((compression !== 0 && !(compression === 3 && bits === 32)) || ![8, 24, 32].includes(bits)) {
    return `this kind of BMP (${bits} bits, compression ${compression}) isn't supported`;
  }
  const height = Math.abs(rows);
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (width <= 0 || height === 0 || bytes.length < start + stride * height) return 'the BMP file is cut off';
  const palette = 14 + view.getUint32(14, true);
  const out = allocate('uint8', [height, width, 3]);
  for (let y = 0, to = 0; y < height; y++) {
    // Rows go upwards unless the height is negative.
    const row = start + stride * (rows > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x++, to += 3) {
      const from = bits === 8 ? palette + 4 * (bytes[row + x] as number) : row + x * (bits / 8);
      out.data[to] = bytes[from + 2] as number;
      out.data[to + 1] = bytes[from + 1] as number;
      out.data[to + 2] = bytes[from] as number;
    }
  }
  return out;
}
