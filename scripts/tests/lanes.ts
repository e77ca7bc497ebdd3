// Runs jobs side by side, in as many lanes as there are, until a deadline.
import { notRun, Run, type Job, type Outcome } from './job';

export interface Watcher {
  began(job: Job): void;
  ended(outcome: Outcome): void;
}

export class Lanes {
  private readonly running = new Set<Run>();
  private stopped = '';

  constructor(
    private readonly cwd: string,
    /** ms since the epoch; nothing runs after it. */
    private readonly deadline: number,
    private readonly watcher: Watcher,
  ) {}

  /** Every job has an outcome, in the order in which they ended; the first are begun first. */
  async run(jobs: readonly Job[], lanes: number): Promise<Outcome[]> {
    const waiting = [...jobs];
    const outcomes: Outcome[] = [];
    const lane = async (): Promise<void> => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        const outcome = await this.one(job);
        outcomes.push(outcome);
        this.watcher.ended(outcome);
      }
    };
    const timer = setTimeout(() => this.stop('no time is left'), this.deadline - Date.now());
    await Promise.all(Array.from({ length: lanes }, lane));
    clearTimeout(timer);
    return outcomes;
  }

  /** Ends what runs, and begins nothing more. */
  stop(why: string): void {
    this.stopped ||= why;
    for (const run of this.running) run.end(why);
  }

  private async one(job: Job): Promise<Outcome> {
    if (this.stopped !== '') return notRun(job, this.stopped);
    this.watcher.began(job);
    const run = new Run(job, this.cwd);
    this.running.add(run);
    const outcome = await run.outcome;
    this.running.delete(run);
    return outcome;
  }
}
