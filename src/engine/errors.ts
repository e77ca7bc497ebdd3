/** What the reply to a client needs: errno, and a text that names the cause and the remedy. */
export class EngineError extends Error {
  constructor(
    /** Positive errno, "ESRCH" in .code. */
    readonly errno: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'EngineError';
  }
}
