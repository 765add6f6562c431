// A vanilla client that hung makes up for ten ticks and forgets the rest; mineflayer makes up for all of
// them, at four times the pace.  So on a machine that keeps its players waiting, mineflayer's clock
// (`performance.now`) forgets what vanilla's would.  Load it before mineflayer.

const FORGETS_BEYOND_MS = 500

const real = performance.now.bind(performance)
let last = real()
let forgotten = 0
Object.defineProperty(performance, 'now', {
  value: () => {
    const now = real()
    forgotten += Math.max(0, now - last - FORGETS_BEYOND_MS)
    last = now
    return now - forgotten
  }
})
