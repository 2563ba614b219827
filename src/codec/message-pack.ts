import { Packr } from 'msgpackr'
import { demandPlain } from './message-pack-scan.ts'

/** Plain maps and no shared structures: any reader of MessagePack can read it. Strings that are read are copies, not views. */
const packr = new Packr({ useRecords: false, variableMapSize: true, bundleStrings: false })

/** A value of plain maps, arrays, texts, numbers and bytes as MessagePack. The same value gives the same bytes. */
export function toMessagePack(value: object): Buffer {
  return packr.pack(value)
}

/**
 * The value that MessagePack holds: of any shape, to be checked. It takes no more memory than a million values of its length can.
 *
 * @throws an Error when the bytes are not one whole value of plain types, or it is too deep or of too many parts
 */
export function fromMessagePack(bytes: Uint8Array): unknown {
  demandPlain(bytes)
  return packr.unpack(bytes)
}
