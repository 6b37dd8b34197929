/** Times are in milliseconds. */
export interface Settings {
  /** The first wait between tries; later ones double. */
  backoffFirstMs: number;
  /** The longest wait between tries. */
  backoffMostMs: number;
  /** The shortest wait where the server asks to come back later. */
  laterMs: number;
  /** Tries to open a WebSocket before polling begins. */
  openTries: number;
  /** Time between two questions while polling. */
  pollMs: number;
  /** While polling: time between two tries to open a WebSocket. */
  retryLiveMs: number;
  /** How long the server may take until it has taken a connection in. */
  readyMs: number;
  /** Silence after which the server is pinged; after as much again the connection is given up. */
  idleMs: number;
  /** How long a request may take. */
  requestMs: number;
  /** Live items that may wait for the app's handler before the connection is given up for now. */
  queue: number;
  /** Ids remembered, to tell pushes from what is pulled. */
  remember: number;
}

export const defaults: Settings = {
  backoffFirstMs: 500,
  backoffMostMs: 30_000,
  laterMs: 5_000,
  openTries: 3,
  pollMs: 15_000,
  retryLiveMs: 60_000,
  readyMs: 10_000,
  idleMs: 20_000,
  requestMs: 15_000,
  queue: 1_000,
  remember: 256,
};
