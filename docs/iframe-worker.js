// A page that is opened from a disk may start no worker, so the search does its work in a hidden
// frame. This has a worker's interface, as far as the search uses it.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.inside = frame.contentWindow
      const load = (source) => new Promise((loaded, failed) => {
        const script = this.inside.document.createElement("script")
        Object.assign(script, {src: source, onload: loaded, onerror: failed})
        this.inside.document.body.append(script)
      })
      this.inside.importScripts = async (...sources) => {
        for (const source of sources) await load(source)
      }
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", {data}))
      this.ready = load(url)
    }
    async postMessage(data) {
      await this.ready
      this.inside.dispatchEvent(new MessageEvent("message", {data}))
    }
  }
