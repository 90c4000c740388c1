using Kist.Oci;
using Kist.Rego;

namespace Kist.Host.Tests.Policy;

/// <summary>The key's policy, evaluated as the broker does.</summary>
public sealed class ImageKeyPolicyTests
{
    private static readonly Digest Mine = Digest.Of("mine"u8);
    private static readonly Digest Other = Digest.Of("other"u8);

    private static bool Allows(string policy, string status, params Digest[] pinned)
    {
        var containers = string.Join(",", pinned.Select(d => $$"""{"image":{"manifest_digest":"{{d}}"} }"""));
        var input = """
            {"submods":{"cpu0":{"ear.status":"STATUS","ear.veraison.annotated-evidence":{"init_data_claims":
            {"agent_policy_claims":{"containers":[CONTAINERS]}}}}}}
            """.Replace("STATUS", status, StringComparison.Ordinal).Replace("CONTAINERS", containers, StringComparison.Ordinal);
        var program = RegoProgram.Compile([new RegoModule("policy.rego", policy)]);
        var result = program.Evaluate(
            "data.policy.allow", RegoValue.FromJson(input), RegoValue.FromJson("""{"plugin":"resource"}"""), RegoLimits.Default, TestContext.Current.CancellationToken);
        return result.IsTrue;
    }

    [Fact]
    public void AffirmingGuestThatPinsTheImage_IsAllowed() => Assert.True(Allows(ImageKeyPolicy.Write([Mine]), "affirming", Mine));

    [Fact]
    public void GuestThatPinsAnotherImage_IsRefused() => Assert.False(Allows(ImageKeyPolicy.Write([Mine]), "affirming", Other));

    [Fact]
    public void GuestThatPinsAnotherImageBesides_IsRefused() => Assert.False(Allows(ImageKeyPolicy.Write([Mine]), "affirming", Mine, Other));

    [Fact]
    public void GuestThatPinsNothing_IsRefused() => Assert.False(Allows(ImageKeyPolicy.Write([Mine]), "affirming"));

    [Fact]
    public void GuestThatIsNotAffirming_IsRefused() => Assert.False(Allows(ImageKeyPolicy.Write([Mine]), "warning", Mine));

    [Fact]
    public void NoImageYet_NobodyIsAllowed() => Assert.False(Allows(ImageKeyPolicy.Write([]), "affirming", Mine));
}
