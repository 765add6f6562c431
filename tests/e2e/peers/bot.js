// What honest and cheating players have in common: they join, keep a ledger of what they sent,
// and say how it ended.

const { TICKS } = require('./vanilla_clock')
const mineflayer = require('mineflayer')
const { Ledger, say } = require('./ledger')

function join ({ host, port, version, name }) {
  const bot = mineflayer.createBot({ host, port: Number(port), version, username: name, auth: 'offline', hideErrors: true, maxCatchupTicks: TICKS })
  const ledger = new Ledger()
  const write = bot._client.write.bind(bot._client)
  bot._client.write = (packet, fields) => {
    if (packet === 'position' || packet === 'position_look') ledger.add(fields)
    return write(packet, fields)
  }
  // mineflayer trips over others' digging when it is told of it before its own first chunk.
  bot.once('inject_allowed', () => {
    const blockAt = bot.blockAt
    bot.blockAt = (...where) => bot.world ? blockAt(...where) : null
  })
  let told = false
  const ended = (why, text) => {
    if (told) return
    told = true
    say('ended', { name, why, text, ledger: ledger.report() })
  }
  bot.once('spawn', () => say('spawned', { name }))
  bot.on('kicked', reason => ended('kicked', typeof reason === 'string' ? reason : JSON.stringify(reason)))
  bot.on('error', error => ended('error', String(error)))
  bot.on('end', reason => ended('end', String(reason)))
  return { bot, ledger, leave: () => { ended('left', ''); bot.quit() } }
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

module.exports = { join, sleep, say }
