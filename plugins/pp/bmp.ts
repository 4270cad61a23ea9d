// Uncompressed BMP files, which libvips doesn't read.

import { allocate, type HostArray } from '../../core/array';

/**
 * The pixels as red, green, blue (and alpha, of 32 bits), or as gray where a pixel is a byte; or why there are none. As in
 * the original, a byte is never looked up in the file's palette.
 */
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
  const channels = bits / 8;
  const out = allocate('uint8', [height, width, channels]);
  for (let y = 0, to = 0; y < height; y++) {
    // Rows go upwards unless the height is negative.
    const row = start + stride * (rows > 0 ? height - 1 - y : y);
    for (let from = row; from < row + width * channels; from += channels, to += channels) {
      // Blue comes first in the file.
      for (let c = 0; c < channels; c++)
        out.data[to + c] = bytes[from + (channels >= 3 && c < 3 ? 2 - c : c)] as number;
    }
  }
  return out;
}
