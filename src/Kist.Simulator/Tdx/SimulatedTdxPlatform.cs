using Kist.Measurement;
using Kist.Simulator.Dcap;

namespace Kist.Simulator;

/// <summary>
/// A simulated machine that starts trust domains. It measures a launch by the rules of the hardware and of the firmware
/// from the very files that are started, and keeps the registers outside the guest. It protects nothing: the guest's
/// memory is the host's to read.
/// </summary>
public sealed class SimulatedTdxPlatform
{
    private readonly SimulatedPlatform _platform;
    private readonly SimulatedPlatformOptions _options;

    /// <summary>A machine of <paramref name="vendor"/>.</summary>
    /// <param name="vendor">The vendor that certifies it.</param>
    /// <param name="options">Faults to build in; null for none.</param>
    public SimulatedTdxPlatform(SimulatedVendor vendor, SimulatedPlatformOptions? options = null)
    {
        _options = options ?? SimulatedPlatformOptions.Default;
        _platform = new SimulatedPlatform(vendor, _options);
    }

    /// <summary>Measures a launch and starts the bookkeeping of the new domain; starting the guest is the caller's part.</summary>
    /// <param name="inputs">The files and values that are about to be started, and nothing else.</param>
    /// <exception cref="Formats.MalformedDataException">Firmware or kernel do not follow their format.</exception>
    /// <exception cref="Formats.OperationFailedException">Of these inputs no launch can come.</exception>
    public SimulatedTrustDomain Launch(LaunchInputs inputs) => new(this, LaunchPredictor.Predict(inputs), inputs.Debug);

    internal ReadOnlySpan<byte> TeeTcbSvn => SimulatedTcb.TdxComponents(_options.Tcb);

    internal byte[] Quote(ReadOnlySpan<byte> body) => _platform.QuoteTdx(body);
}
