/** The files in which Vitest looks for its configuration, in this order: https://vitest.dev/config/#configuring-vitest */
export const configFiles = ['vitest', 'vite'].flatMap((name) =>
  ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((extension) => `${name}.config.${extension}`),
)
