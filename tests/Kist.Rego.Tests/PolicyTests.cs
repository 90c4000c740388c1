namespace Kist.Rego.Tests;

/// <summary>Policies of the kinds that brokers and guest agents evaluate: written here in our words, with the inputs they get.</summary>
public class PolicyTests
{
    /// <summary>An attestation policy: claims are lifted from their defaults by rules that compare with reference values.</summary>
    private const string Attestation =
        """
        package policy

        import rego.v1

        default executables := 33
        default hardware := 97
        default configuration := 36

        trust_claims := {
            "executables": executables,
            "hardware": hardware,
            "configuration": configuration,
        }

        executables := 3 if {
            input.tdx.quote.body.rtmr_1 in query_reference_value("rtmr_1")
            input.tdx.quote.body.rtmr_2 in query_reference_value("rtmr_2")
        }

        hardware := 2 if {
            input.tdx.quote.header.tee_type == "81000000"
            input.tdx.quote.body.mr_td in query_reference_value("mr_td")
        }

        configuration := 2 if {
            input.tdx.td_attributes.debug == false
            input.tdx.quote.body.xfam in query_reference_value("xfam")
        }
        """;

    private const string Evidence =
        """
        {"tdx": {"quote": {"header": {"tee_type": "81000000"}, "body": {"mr_td": "aa", "rtmr_1": "b1", "rtmr_2": "b2", "xfam": "e7"}},
         "td_attributes": {"debug": false}}, "init_data": "00"}
        """;

    private static RegoExtensions References(string json) => new RegoExtensions().Add(
        "query_reference_value", 1, a => RegoValue.FromJson(json)[((RegoString)a[0]).Value] ?? RegoValue.Null);

    private static RegoProgram Compile(string text, RegoVersion version = RegoVersion.Either) => RegoProgram.Compile(
        [new RegoModule("policy.rego", text)], new RegoCompileOptions { Version = version, Extensions = References("{}") });

    private static string Claims(string references, string evidence = Evidence) => Compile(Attestation).Evaluate(
        "data.policy.trust_claims",
        new RegoEvaluationOptions { Input = RegoValue.FromJson(evidence), Extensions = References(references) },
        TestContext.Current.CancellationToken).Value!.ToJson();

    [Theory]
    [InlineData("""{"rtmr_1": ["b1"], "rtmr_2": ["b2"], "mr_td": ["aa"], "xfam": ["e7"]}""", """{"configuration":2,"executables":3,"hardware":2}""")]
    [InlineData("""{"rtmr_1": ["b1"], "rtmr_2": ["xx"], "mr_td": ["aa"]}""", """{"configuration":36,"executables":33,"hardware":2}""")]
    [InlineData("{}", """{"configuration":36,"executables":33,"hardware":97}""")]
    public void AttestationPolicy_WithReferenceValues_GivesTrustClaims(string references, string expected) =>
        Assert.Equal(expected, Claims(references));

    [Fact]
    public void AttestationPolicy_OfAnotherTee_KeepsItsDefaults() =>
        Assert.Equal("""{"configuration":36,"executables":33,"hardware":97}""", Claims("""{"mr_td": ["aa"]}""", """{"snp": {"measurement": "aa"}}"""));

    /// <summary>A resource policy in v0, which brokers still get: allowed if every part of the guest is affirming.</summary>
    private const string Resource =
        """
        package policy

        default allow = false

        allow {
            data.plugin == "resource"
            count(input.submods) > 0
            count([k | some k; input.submods[k]["ear.status"] != "affirming"]) == 0
            path := split(data["resource-path"], "/")
            path[0] == "prod"
        }
        """;

    [Theory]
    [InlineData("""{"submods": {"cpu0": {"ear.status": "affirming"}}}""", "prod/key/1", true)]
    [InlineData("""{"submods": {"cpu0": {"ear.status": "affirming"}, "gpu0": {"ear.status": "none"}}}""", "prod/key/1", false)]
    [InlineData("""{"submods": {"cpu0": {"ear.status": "affirming"}}}""", "test/key/1", false)]
    [InlineData("""{"submods": {}}""", "prod/key/1", false)]
    [InlineData("{}", "prod/key/1", false)]
    public void ResourcePolicy_OfVersion0_AllowsOnlyAffirming(string claims, string path, bool expected)
    {
        var data = RegoValue.ObjectOf(("plugin", RegoValue.Of("resource")), ("resource-path", RegoValue.Of(path)));
        Assert.Equal(expected, Compile(Resource).Evaluate("data.policy.allow", RegoValue.FromJson(claims), data, cancellationToken: TestContext.Current.CancellationToken).IsTrue);
    }

    [Fact]
    public void Trace_OfARefusal_NamesRuleExpressionAndValues()
    {
        var result = Compile(Attestation).Evaluate(
            "data.policy.hardware",
            new RegoEvaluationOptions { Input = RegoValue.FromJson(Evidence), Extensions = References("""{"mr_td": ["bb"]}"""), Trace = true },
            TestContext.Current.CancellationToken);
        var failure = Assert.Single(result.Trace!.Failures);
        Assert.Equal("data.policy.hardware", failure.Rule);
        Assert.Equal("input.tdx.quote.body.mr_td in query_reference_value(\"mr_td\")", failure.Text);
        Assert.Equal(("input.tdx.quote.body.mr_td", "\"aa\""), (failure.Values[0].Term, failure.Values[0].Value!.ToJson()));
        Assert.Equal(22, failure.Location.Row);
    }

    /// <summary>An agent policy as genpolicy writes them: default deny, a rule a request, data of the containers in the policy.</summary>
    private const string Agent =
        """
        package agent_policy

        import future.keywords.in
        import future.keywords.every

        default CreateContainerRequest := false
        default ExecProcessRequest := false
        default WaitProcessRequest := true

        CreateContainerRequest {
            i_oci := input.OCI
            some p_container in policy_data.containers
            p_oci := p_container.OCI
            i_oci.Version == p_oci.Version
            allow_process(p_oci.Process, i_oci.Process)
            allow_mounts(p_oci.Mounts, i_oci.Mounts)
            print("CreateContainerRequest: allowed")
        }

        allow_process(p, i) {
            p.Args == i.Args
            every env in i.Env {
                allow_env(p, env)
            }
        }

        allow_env(p, env) {
            some p_env in p.Env
            p_env == env
        }

        allow_env(_, env) {
            some pattern in policy_data.common.env
            regex.match(concat("", ["^", pattern, "$"]), env)
        }

        allow_mounts(p_mounts, i_mounts) {
            count(p_mounts) == count(i_mounts)
            every mount in i_mounts {
                some p_mount in p_mounts
                p_mount.destination == mount.destination
                {o | o := mount.options[_]} - {o | o := p_mount.options[_]} == set()
            }
        }

        ExecProcessRequest {
            some command in policy_data.request_defaults.ExecProcessRequest.commands
            command == concat(" ", input.process.Args)
        }

        policy_data := {
            "common": {"env": ["HOSTNAME=[a-z0-9-]+"]},
            "containers": [{"OCI": {
                "Version": "1.1.0",
                "Process": {"Args": ["/bin/app"], "Env": ["PATH=/bin"]},
                "Mounts": [{"destination": "/data", "options": ["ro", "rbind"]}],
            }}],
            "request_defaults": {"ExecProcessRequest": {"commands": ["cat /status"]}},
        }
        """;

    private static bool Allows(string request, string input) =>
        Compile(Agent, RegoVersion.V0).Evaluate($"data.agent_policy.{request}", RegoValue.FromJson(input), cancellationToken: TestContext.Current.CancellationToken).IsTrue;

    [Theory]
    [InlineData("/bin/app", "HOSTNAME=pod-1", "ro", true)]
    [InlineData("/bin/sh", "HOSTNAME=pod-1", "ro", false)]
    [InlineData("/bin/app", "LD_PRELOAD=/evil.so", "ro", false)]
    [InlineData("/bin/app", "HOSTNAME=pod-1", "rw", false)]
    public void AgentPolicy_OfAContainer_AllowsJustIt(string argument, string environment, string option, bool expected) => Assert.Equal(
        expected,
        Allows("CreateContainerRequest", $$$"""
            {"OCI": {"Version": "1.1.0", "Process": {"Args": ["{{{argument}}}"], "Env": ["PATH=/bin", "{{{environment}}}"]},
             "Mounts": [{"destination": "/data", "options": ["{{{option}}}"]}]}}
            """));

    [Theory]
    [InlineData("ExecProcessRequest", """{"process": {"Args": ["cat", "/status"]}}""", true)]
    [InlineData("ExecProcessRequest", """{"process": {"Args": ["sh"]}}""", false)]
    [InlineData("WaitProcessRequest", "{}", true)]
    [InlineData("SetPolicyRequest", "{}", false)]
    public void AgentPolicy_OfOtherRequests_FollowsItsRules(string request, string input, bool expected) =>
        Assert.Equal(expected, Allows(request, input));
}
