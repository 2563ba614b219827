/** What is printed of an import's id; [] when nothing was imported. */
export function importLines(importId: string | null): string[] {
  return importId === null ? [] : [`  import ${importId}, which rm3admin undo --import takes back`]
}
