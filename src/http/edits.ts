import type { Json } from '../codec/json.ts'
import { applyPatch, checkPatch, mergePatch } from '../codec/patch.ts'
import { checkDocument } from '../content/check-document.ts'
import type { Document } from '../content/document.ts'
import { Rm3Error } from '../errors.ts'

/** An edit by an RFC 6902 patch. @throws PATCH_INVALID now or when it is applied, PATCH_TEST_FAILED, DOCUMENT_INVALID */
export function jsonPatchEdit(patch: unknown): (document: Document) => Document {
  const operations = checkPatch(patch)
  return document => checkDocument(applyPatch(document as unknown as Json, operations))
}

/** An edit by an RFC 7396 merge patch. @throws REQUEST_INVALID for what is no object, DOCUMENT_INVALID when it is applied */
export function mergePatchEdit(patch: unknown): (document: Document) => Document {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw new Rm3Error('PATCH_INVALID', 'the merge patch is not an object')
  }
  return document => checkDocument(mergePatch(document as unknown as Json, patch as Json))
}

/** An edit that puts a whole document in place of the other. @throws DOCUMENT_INVALID, JSON_INVALID */
export function replacingEdit(document: unknown): (document: Document) => Document {
  const checked = checkDocument(document)
  return () => checked
}
