import type { Engine } from '../engine/engine';

/** How programs are started, as the command line and the client's Q packets set it. */
export interface ProgramOptions {
  /** argv of the last program started or named: vRun without a name uses it. */
  program: string[];
  wrapper: string[];
  noRandomize: boolean;
  startupWithShell: boolean;
  cwd: string | undefined;
  /** Variables set (string) or removed (undefined) relative to the server's own environment. */
  environment: Map<string, string | undefined>;
}

/** The inferiors of one engine and their stops, across connections. */
export interface Target {
  readonly engine: Engine;
}
