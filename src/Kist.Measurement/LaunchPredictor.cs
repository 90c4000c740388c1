using Kist.Measurement.Tdx;

namespace Kist.Measurement;

/// <summary>
/// Predicts the measurements of a launch before anything runs. Host, key broker and command line all compute reference
/// values here, and the simulated platform measures by the same rules.
/// </summary>
public static class LaunchPredictor
{
    /// <summary>MRTD, RTMR0–2 and the event log of a TDX launch with a kernel given directly to the monitor.</summary>
    /// <exception cref="Kist.Formats.MalformedDataException">Firmware or kernel do not follow their format.</exception>
    /// <exception cref="Kist.Formats.OperationFailedException">Of these inputs no launch can come.</exception>
    public static TdxLaunchMeasurement Predict(LaunchInputs inputs) => TdxLaunchMeasurement.Of(inputs);
}
