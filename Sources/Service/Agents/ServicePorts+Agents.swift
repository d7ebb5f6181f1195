internal import Agents

extension ServicePorts {
  /// What runs of agents are made of.
  var agents: AgentStores {
    AgentStores(
      runs: runs, users: users, courses: courses, goals: goals, model: model, retriever: retriever)
  }
}
