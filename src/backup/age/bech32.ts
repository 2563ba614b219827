/** Bech32 (BIP 173), as age writes its keys: without its limit of length. */
const DIGITS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const CHECKSUM_DIGITS = 6

/**
 * The bytes that a text stands for.
 *
 * @param prefix what must stand before the last `1`, in lower case
 * @returns null when the text is of another form, mixes cases or its checksum does not fit
 */
export function fromBech32(text: string, prefix: string): Buffer | null {
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) return null
  if (!lower.startsWith(`${prefix}1`)) return null
  const values = [...lower.slice(prefix.length + 1)].map(digit => DIGITS.indexOf(digit))
  if (values.includes(-1) || values.length < CHECKSUM_DIGITS) return null
  if (checksumOf(prefix, values) !== 1) return null
  return bytesOf(values.slice(0, -CHECKSUM_DIGITS))
}

function checksumOf(prefix: string, values: readonly number[]): number {
  const codes = [...prefix].map(sign => sign.charCodeAt(0))
  const all = [...codes.map(code => code >> 5), 0, ...codes.map(code => code & 31), ...values]
  let sum = 1
  for (const value of all) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of GENERATORS.entries()) {
      if ((top >> bit) & 1) sum ^= generator
    }
  }
  return sum
}

/** Five bits a digit; what is left over must be zero. */
function bytesOf(values: readonly number[]): Buffer | null {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const value of values) {
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push(held >> bits)
    held &= (1 << bits) - 1
  }
  return bits < 5 && held === 0 ? Buffer.from(bytes) : null
}
