using Kist.Agent.Policy;
using Kist.Pods.Protocol;

namespace Kist.Pods.Tests.Agent;

public sealed class LearningPolicyTests
{
    [Fact]
    public void Require_AllowsAndRecordsOnce_WithTheOwnersOpinion()
    {
        var policy = new LearningPolicy(RegoAgentPolicy.Compile("package agent_policy\nimport rego.v1\nStartContainerRequest if input.container_id == \"a\""));
        policy.Require("StartContainerRequest", json => json.WriteString("container_id", "a"));
        policy.Require("StartContainerRequest", json => json.WriteString("container_id", "a"));
        policy.Require("StartContainerRequest", json => json.WriteString("container_id", "b"));
        policy.Require("ExecProcessRequest", json => json.WriteString("container_id", "a"));

        var requests = LearnedRequest.ReadAll(policy.Record);
        Assert.Equal([("StartContainerRequest", true), ("StartContainerRequest", false), ("ExecProcessRequest", false)], requests.Select(r => (r.Rule, r.IsAllowed)));
    }

    [Fact]
    public void Require_WithoutEnd_KeepsTheRecordBounded()
    {
        var policy = new LearningPolicy(new DenyAll("nothing"));
        for (var i = 0; i < 5000; i++)
            policy.Require("StartContainerRequest", json => json.WriteNumber("n", i));
        Assert.InRange(LearnedRequest.ReadAll(policy.Record).Count, 1000, 4096);
    }
}
