// Records sessions: honest players and, where asked for, a cheater, on a line of some kind.
//
//   node record.js OUT VERSION LINE SEED [honest|cheats]
//
// Writes OUT/VERSION-LINE-SEED-KIND.{client,server}.pcap and .json, a manifest entry for each side
// of the form that tests/replay reads.

const clock = require('./clock')
Error.stackTraceLimit = 3 // Each packet that comes in two pieces is an Error within protodef.
const { Capture, connect, randomly } = require('./line')
const server = require('./server')
const { Player } = require('./player')
const { honest, company, cheats } = require('./behaviours')
const fs = require('fs')
const path = require('path')

const LINES = {
  clean: {}, d40: { delay: 20 }, j120: { delay: 60, jitter: 21 }, j300: { delay: 150, jitter: 56, drift: 200 },
  loss2: { delay: 20, loss: 0.02 }, burst5: { delay: 30, bad: 0.01, good: 0.19 }, bloat: { delay: 15, bloat: 500 },
  mobile: { delay: 35, jitter: 8, stall: 2200 }, dead10: { delay: 40, jitter: 5, stall: 10000, stall_every: 34000 }, storm: { delay: 45, jitter: 15, bad: 0.03, good: 0.06 }, reorder3: { delay: 20, reorder: 0.03 }, far: { delay: 260, jitter: 90, drift: 400, stall: 700, stall_every: 5000 }
}
const TEMPI = [1, 0.995, 1.005, 1]

async function main ([out, version, lineName, seedText, kind = 'honest', secondsText = '90']) {
  const seed = Number(seedText)
  const random = randomly(seed * 2654435761)
  const line = LINES[lineName]
  const serv = await server.start(version, seed % 3 === 0 ? 64 : seed % 3 === 1 ? 256 : -1)
  serv.translated = seed % 4 === 3
  await clock.settle(50)
  await clock.run(100, 20)
  await server.buildLanes(serv)
  const captures = { client: new Capture(), server: new Capture() }
  const players = []
  serv.on('newPlayer', entity => {
    const p = players.find(player => player.name === entity._client.username)
    if (p) p.server = entity
  })
  for (let i = 0; i < 3; i++) {
    const port = 40000 + seed % 1000 * 10 + i
    const { client, server: end, established } = connect({ port, captures, up: line, down: line, seed: seed * 10 + i + 1 })
    clock.at(established - 0.001, () => serv.accept(end))
    await clock.run(established, 20)
    const p = new Player(`H${version.replace(/\./g, '')}s${seed}p${i}`, version, client, { tempo: TEMPI[(seed + i) % 4], sensitivity: random() })
    Object.assign(p, { random: randomly(seed * 97 + i), address: `10.77.0.1:${port}`, role: kind === 'cheats' && i === 0 ? 'cheat' : 'honest', windows: [], beside: kind === 'cheats' })
    p.refill = (where, state) => setTimeout(() => serv.setBlock(serv.overworld, where, state), 600)
    p.bot.on('death', () => setTimeout(() => p.write('client_command', { payload: 0, actionId: 0 }), 1500))
    players.push(p)
    await clock.run(clock.now() + 1500, 20)
  }
  await clock.run(clock.now() + 3000, 20)
  const until = clock.now() + Number(secondsText) * 1000
  for (const p of players) play(p, until)
  await clock.run(until, 2)
  const zero = captures.client.records.reduce((first, { at }) => Math.min(first, at), Infinity)
  const written = {}
  const name = `${version}-${lineName}-${seed}-${kind}`
  for (const side of ['client', 'server']) written[side] = captures[side].write(path.join(out, `${name}.${side}.pcap`))
  const entries = []
  for (const side of ['client', 'server']) {
    entries.push({
      session: name, file: `${name}.${side}.pcap`, side, version, protocol: players[0].protocol, kind, profile: { name: lineName, ...line, seed },
      server: '10.77.0.2:25565', first_packet_epoch: written[side].first, bytes: written[side].bytes,
      honest_player_seconds: side === 'client' ? players.filter(p => p.role === 'honest').length * Number(secondsText) : 0,
      bot_errors: players.flatMap(p => p.events),
      players: players.map(p => ({
        name: p.name, role: p.role, clock: p.tempo, clients: [{ address: p.address }],
        windows: p.windows.map(w => ({ ...w, from: (w.from - zero) / 1000, to: ((w.to ?? until) - zero) / 1000 }))
      }))
    })
  }
  fs.writeFileSync(path.join(out, `${name}.json`), JSON.stringify(entries))
}

/// One behaviour after another, in an order of the player's own.
function play (p, until) {
  const plays = p.role === 'cheat' ? cheats : p.beside ? company : honest
  const names = Object.keys(plays)
  for (let i = names.length - 1; i > 0; i--) {
    const j = Math.floor(p.random() * (i + 1));
    [names[i], names[j]] = [names[j], names[i]]
  }
  p.script = (function * () {
    for (let n = 0; ; n++) {
      const name = names[n % names.length]
      const window = { behaviour: name, from: clock.now() }
      p.windows.push(window)
      try {
        if (p.role === 'cheat') {
          const [check, script] = plays[name]
          Object.assign(window, { cheat: true, expected_check: check })
          p.start = () => { window.from = clock.now() }
          yield * script(p)
          p.cheat = {}
        } else {
          yield * plays[name](p)
        }
      } catch (error) {
        p.events.push(`${name}: ${error.stack.slice(0, 300)}`)
      }
      window.to = clock.now()
      p.flying = null
      p.batch = 1
      for (let i = 0; i < (p.role === 'cheat' ? 60 : 5); i++) yield
    }
  })()
}

process.on('unhandledRejection', error => console.error('rejected', String(error.stack).slice(0, 400)))
process.on('uncaughtException', error => console.error('uncaught', String(error.stack).slice(0, 400)))
main(process.argv.slice(2)).then(() => process.exit(0), error => { console.error(error); process.exit(1) })
