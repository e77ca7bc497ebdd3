/** At the end of the name of a test that was not begun. */
export const LATE = ' [no time was left]';
