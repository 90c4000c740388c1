namespace Kist.KeyBroker.Attesting;

/// <summary>The class of a TEE: it names the submodule of the token and the attestation policy.</summary>
static class TeeClass
{
    public static string Of(string tee) => tee switch
    {
        "nvidia" or "sampledevice" => "gpu",
        "hygondcu" => "dcu",
        "nvidia-dpu" => "nvidia-dpu",
        _ => "cpu",
    };

    /// <summary>True for a TEE that evidence of a device may accompany; false for a device.</summary>
    public static bool IsPrimary(string tee) => Of(tee) == "cpu";
}
