#include "control/control.h"

#include "control/loop.h"

namespace portcullis::control {

Control::Settings::Settings() = default;

Control::Control(config::Config config, pipeline::WireSide& wire)
    : Control(std::move(config), wire, Settings{}) {}
Control::Control(config::Config config, pipeline::WireSide& wire, Settings settings)
    : loop_(std::make_unique<Loop>(std::move(config), wire, std::move(settings))) {}
Control::~Control() = default;

void Control::add(std::unique_ptr<RecordSink> sink) { loop_->add(std::move(sink)); }
Orders& Control::orders() noexcept { return loop_->orders(); }
void Control::start() { loop_->start(); }
void Control::ready() { loop_->ready(); }
void Control::wait() { loop_->wait(); }
void Control::stop() noexcept { loop_->stop(); }
bool Control::compiling() const { return loop_->compiling(); }
bool Control::in_a_driver() const noexcept { return loop_->in_a_driver(); }

}  // namespace portcullis::control
