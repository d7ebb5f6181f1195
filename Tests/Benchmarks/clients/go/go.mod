module bench

go 1.23

require hito.example/hito v0.1.0
