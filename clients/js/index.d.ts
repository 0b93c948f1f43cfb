/** What is needed to send updates to Rollcall. */
export interface Options {
  /** The address of Rollcall, such as `http://127.0.0.1:8080`. Default: the environment variable `ROLLCALL_URL`. */
  url?: string;
  /** A key with the scope `ingest`. Default: the environment variable `ROLLCALL_KEY`. */
  key?: string;
  /** How many updates may wait. If more come while Rollcall is away, the oldest are dropped. Default: 10,000. */
  capacity?: number;
  /** Called with each problem, once until updates are accepted again. Default: `console.warn`. */
  log?: (problem: string) => void;
}

/** The part of a framework's context that is used. */
export interface UpdateContext {
  readonly update: object;
}

/** A middleware for grammY and telegraf that sends each update to Rollcall, and waits for nothing. */
export interface RollcallMiddleware {
  <T>(ctx: UpdateContext, next: () => T): T;
  /** Sends an update that came in another way. */
  send(update: object, botId?: number): void;
  /** Sends what is left, for up to `timeoutMs` milliseconds (default: 5,000). Never rejects. */
  flush(timeoutMs?: number): Promise<void>;
  /** How many updates Rollcall has accepted. */
  readonly sent: number;
  /** How many updates were dropped: too many waited, or Rollcall refused them. */
  readonly dropped: number;
}

/**
 * Creates the middleware: `bot.use(rollcall())`, before all others.
 *
 * @throws TypeError if the address or the key is missing or wrong.
 */
export function rollcall(options?: Options): RollcallMiddleware;
