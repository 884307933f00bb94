/** Words as a sentence lists them: `a, b and c`. */
export const listOf = (words: readonly string[]) => new Intl.ListFormat('en-GB').format(words)
