// Arrays as Python packs them (src/unrolled/lens/trace_page.py): a shape, and float32 numbers as base64.

interface Packed {
  shape: number[];
  f32: string;
}

const isPacked = (value: object): value is Packed => 'f32' in value && 'shape' in value;

/**
 * The same value with every packed array in it unpacked: of two axes, to rows that share one buffer. An array is
 * unpacked when it is first asked for: of a large trace, most are never looked at.
 */
export function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (value === null || typeof value !== 'object') return value;
  if (isPacked(value)) return arrayOf(value);
  const found = {};
  for (const [name, part] of Object.entries(value)) {
    let known: unknown;
    let ready = false;
    Object.defineProperty(found, name, {
      enumerable: true,
      get: () => {
        if (!ready) known = unpacked(part);
        ready = true;
        return known;
      },
    });
  }
  return found;
}

function arrayOf({ shape, f32 }: Packed): Float32Array | Float32Array[] {
  const numbers = new Float32Array(bytesOf(f32).buffer);
  if (shape.length === 1) return numbers;
  const [rows, size] = shape;
  return Array.from({ length: rows }, (_, k) => numbers.subarray(k * size, (k + 1) * size));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  // Ten times as quick, where a browser is new enough.
  const native = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native) return native.call(Uint8Array, base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k += 1) bytes[k] = text.charCodeAt(k);
  return bytes;
}
