// Arguments as one string, as gdb's "set args" has them: quoted for a shell.

/** Characters that no shell changes, wherever in a word. */
const PLAIN = /^[\w@%+:,./-][\w@%+=:,./-]*$/;
/** Blanks between words, as a shell's IFS and gdb have them. */
const BLANKS = /[ \t\n]+/;

/** One string that a shell reads as these words. */
export function quoteWords(words: readonly string[]): string {
  return words
    .map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** The words of a line in which no shell would change anything; undefined: it might. */
export function plainWords(line: string): string[] | undefined {
  const words = line.split(BLANKS).filter(Boolean);
  return words.every((word) => PLAIN.test(word)) ? words : undefined;
}

/**
 * The words of a line where no shell is wanted: quotes and backslashes as a shell reads them, and
 * nothing is expanded. undefined: a quote does not end.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const c = line.charAt(at);
    const next = line.charAt(at + 1);
    const escapes = quote === '' ? next !== '' : quote === '"' && '"\\$`'.includes(next || ' ');
    if (c === '\\' && escapes) {
      word = (word ?? '') + next;
      at++;
    } else if (c === quote) quote = '';
    else if (quote === '' && (c === "'" || c === '"')) {
      quote = c;
      word ??= '';
    } else if (quote === '' && BLANKS.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + c;
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
