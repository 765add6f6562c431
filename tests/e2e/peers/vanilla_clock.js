// A vanilla client that hung makes up for ten ticks at once and forgets the rest; mineflayer makes up for
// all of them, a few at a time.  So on a machine that keeps its players waiting, the clock that
// mineflayer's loops read (`performance.now`, each loop its own) forgets what vanilla's would, and its
// bots get `maxCatchupTicks: TICKS`.  Load it before mineflayer.

const TICKS = 10
const FORGETS_BEYOND_MS = TICKS * 50

const real = performance.now.bind(performance)
const { setInterval: realInterval } = global
let loop = null // Whose turn it is.

global.setInterval = (call, ms, ...args) => {
  const its = { last: real(), forgotten: 0 }
  return realInterval((...given) => {
    loop = its
    try { call(...given) } finally { loop = null }
  }, ms, ...args)
}
Object.defineProperty(performance, 'now', {
  value: () => {
    const now = real()
    if (!loop) return now
    loop.forgotten += Math.max(0, now - loop.last - FORGETS_BEYOND_MS)
    loop.last = now
    return now - loop.forgotten
  }
})

module.exports = { TICKS }
