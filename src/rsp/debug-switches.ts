export type DebugComponent = 'threads' | 'remote' | 'event-loop';

/** Which debugging output is on. Monitor commands change it while the server runs. */
export interface DebugSwitches {
  readonly debug: Set<DebugComponent>;
  timestamps: boolean;
}
