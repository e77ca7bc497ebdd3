import type { Log } from '../rsp/log';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the server does and why, for whoever operates it; to a file or to standard error. */
export async function operationalLog(level: LogLevel, file: string | undefined): Promise<Log> {
  const winston = await import('winston'); // a quarter of the start-up time: only on request
  const transport =
    file === undefined
      ? new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })
      : new winston.transports.File({ filename: file });
  const logger = winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.printf(
        (entry) => `${String(entry.timestamp)} ${entry.level} ${String(entry.message)}`,
      ),
    ),
    transports: [transport],
  });
  return (severity, message): void => {
    logger.log(severity, message);
  };
}
