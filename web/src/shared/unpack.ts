// Arrays as Python packs them (src/unrolled/lens/trace_page.py): a shape, and float32 numbers as base64.

interface Packed {
  shape: number[];
  f32: string;
}

const isPacked = (value: object): value is Packed => 'f32' in value && 'shape' in value;

/** The same value with every packed array in it unpacked: of two axes, to rows that share one buffer. */
export function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (value === null || typeof value !== 'object') return value;
  if (isPacked(value)) return arrayOf(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, unpacked(part)]));
}

function arrayOf({ shape, f32 }: Packed): Float32Array | Float32Array[] {
  const bytes = Uint8Array.from(atob(f32), (c) => c.charCodeAt(0));
  const numbers = new Float32Array(bytes.buffer);
  if (shape.length === 1) return numbers;
  const [rows, size] = shape;
  return Array.from({ length: rows }, (_, k) => numbers.subarray(k * size, (k + 1) * size));
}
