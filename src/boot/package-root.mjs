/** The package's root folder, as a file URL that ends with a slash. */
export const packageRoot = new URL('../../', import.meta.url)
