using System.Text.Json;
using Kist.Formats;
using Kist.Pods.Protocol;
using Kist.Rego;

namespace Kist.Host.Tests.Policy;

/// <summary>What was observed is allowed by what was learned, and nothing else is.</summary>
public sealed class PolicyLearnerTests
{
    private static readonly CreateContainerInput Created = new()
    {
        ContainerId = "c1",
        ContainerName = "web",
        ImageReference = "registry.example/web",
        ManifestDigest = "sha256:aa",
        ConfigDigest = "sha256:bb",
        Encrypted = false,
        Process = new ContainerProcess(["/bin/web", "it's"], ["PATH=/bin", "A=\"b\""], "/srv", "1000"),
        Overrides = new ProcessOverrides(null, [], [], "", ""),
        Capabilities = ["CAP_CHOWN"],
        ReadOnlyRoot = true,
        Hostname = "c1",
        Volumes = [new VolumeInput("conf", "/etc/conf", true, "files") { Files = [VolumeFileInput.Of("a", 0x1a4, "x"u8)] }],
    };

    private static string Record => string.Join('\n',
        LearnedRequest.Write("CreateContainerRequest", false, Created.Write),
        Line("StartContainerRequest", _ => { }),
        Line("ReadStreamRequest", j => j.WriteString("stream", "stdout")),
        Line("GuestServiceRequest", j => { j.WriteString("service", "resource"); j.WriteString("resource", "kbs:///default/web/key"); }),
        Line("ExecProcessRequest", j => new ExecProcessInput { ExecId = "e", Process = new ContainerProcess(["/bin/ls"], ["PATH=/bin"], "/srv", "1000"), Capabilities = [] }.Write(j))) + "\n";

    [Fact]
    public void Learn_WhatWasObserved_IsAllowedAndNothingElse()
    {
        var requests = LearnedRequest.ReadAll(Record);
        var program = RegoProgram.Compile("policy.rego", WorkloadPolicy.Write(PolicyLearner.Learn(requests)), RegoVersion.V1);
        foreach (var request in requests)
            Assert.True(Allows(program, request.Rule, request.Input.GetRawText()), request.Rule);

        Assert.False(Allows(program, "CreateContainerRequest", requests[0].Input.GetRawText().Replace("/bin/web", "/bin/sh", StringComparison.Ordinal)));
        Assert.False(Allows(program, "CreateContainerRequest", requests[0].Input.GetRawText().Replace("sha256:aa", "sha256:ab", StringComparison.Ordinal)));
        Assert.False(Allows(program, "GuestServiceRequest", requests[3].Input.GetRawText().Replace("web/key", "db/key", StringComparison.Ordinal)));
        Assert.False(Allows(program, "ExecProcessRequest", requests[4].Input.GetRawText().Replace("/bin/ls", "/bin/sh", StringComparison.Ordinal)));
        Assert.False(Allows(program, "WriteStreamRequest", requests[1].Input.GetRawText()));
        Assert.False(Allows(program, "TtyWinResizeRequest", requests[1].Input.GetRawText()));
    }

    [Fact]
    public void Learn_TwoEqualRuns_AreOneContainer()
    {
        var again = LearnedRequest.Write("CreateContainerRequest", false, (Created with { ContainerId = "c2", Hostname = "c2" }).Write);
        Assert.Single(PolicyLearner.Learn(LearnedRequest.ReadAll(Record + again)));
    }

    [Fact]
    public void Learn_RunsThatDiffer_AreRefused()
    {
        var other = LearnedRequest.Write("CreateContainerRequest", false, (Created with { Process = Created.Process with { Args = ["/bin/web"] } }).Write);
        Assert.Contains("differs between runs", Assert.Throws<OperationFailedException>(() => PolicyLearner.Learn(LearnedRequest.ReadAll(Record + other))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Learn_NothingCreated_IsRefused() => Assert.Throws<OperationFailedException>(() => PolicyLearner.Learn([]));

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("x")]
    [InlineData("""{"rule":"A","allowed":1,"input":{}}""")]
    [InlineData("""{"rule":"A","allowed":true,"input":[]}""")]
    public void ReadAll_Malformed_Throws(string line) => Assert.Throws<MalformedDataException>(() => LearnedRequest.ReadAll(line));

    private static string Line(string rule, Action<Utf8JsonWriter> more) => LearnedRequest.Write(rule, true, json =>
    {
        json.WriteString("container_id", "c1");
        json.WriteString("container_name", "web");
        if (rule == "StartContainerRequest")
            PodStateInput.Empty.Write(json);
        more(json);
    });

    private static bool Allows(RegoProgram program, string rule, string input) =>
        program.Evaluate($"data.agent_policy.{rule}", RegoValue.FromJson(System.Text.Encoding.UTF8.GetBytes(input))).IsTrue;
}
