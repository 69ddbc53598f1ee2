/** What is usual is known after so many windows: a service that has just started knows nothing. */
const minWindows = 3;
/** How much the newest window weighs (exponentially weighted moving average). */
const weight = 0.2;
/** Of shares: where hardly anything fails, a few failures are still not unusual. */
const minShare = 0.1;
/** So much more than usual counts as usual, and no more: a flood must not teach that floods are usual. */
const maxLesson = 3;

/** What a baseline is compared by. */
export interface Scale {
  readonly windowMs: number;
  readonly threshold: number;
  readonly factor: number;
  /** The share among all is compared, not the number. */
  readonly isShare: boolean;
}

interface Lesson {
  readonly isShare: boolean;
  /** Less is not told apart. */
  readonly least: number;
}

interface State {
  window: number;
  windows: number;
  count: number;
  others: number;
  usual: number;
  hasFired: boolean;
}

export interface Unusual {
  readonly count: number;
  /** How many times as much as usual, rounded. */
  readonly times: number;
}

/** What is usual for each key, learned by this instance from window to window. Keys are routes: few, and known. */
export class Baselines {
  private readonly states = new Map<string, State>();

  /**
   * One more of what is counted, or of what it is a share of.
   * @returns something at the moment at which it becomes unusual, once in a window.
   */
  add(key: string, { windowMs, threshold, factor, isShare }: Scale, at: number, isOther = false): Unusual | undefined {
    const least = isShare ? minShare : threshold / factor;
    const state = this.stateOf(key, Math.floor(at / windowMs), { isShare, least });
    state[isOther ? 'others' : 'count']++;
    if (isOther || state.hasFired || state.count < threshold || state.windows < minWindows) return undefined;
    const times = valueOf(state, isShare) / Math.max(state.usual, least);
    state.hasFired = times >= factor;
    return state.hasFired ? { count: state.count, times: Math.round(times) } : undefined;
  }

  private stateOf(key: string, window: number, lesson: Lesson): State {
    const state = this.states.get(key) ?? newState(window);
    this.states.set(key, state);
    if (state.window !== window) learn(state, window, lesson);
    return state;
  }
}

const newState = (window: number): State => ({ window, windows: 0, count: 0, others: 0, usual: 0, hasFired: false });

const valueOf = ({ count, others }: State, isShare: boolean): number => (isShare ? count / (count + others) : count);

/** Closes the window, whichever way the clock went, and those in which nothing came. */
function learn(state: State, window: number, { isShare, least }: Lesson): void {
  const value = Math.min(valueOf(state, isShare), maxLesson * Math.max(state.usual, least));
  state.usual = state.windows === 0 ? value : state.usual * (1 - weight) + value * weight;
  const empty = Math.max(0, window - state.window - 1);
  if (!isShare) state.usual *= (1 - weight) ** empty;
  Object.assign(state, { window, windows: state.windows + 1 + empty, count: 0, others: 0, hasFired: false });
}
