using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Measurement.Uefi;

namespace Kist.Measurement.Tpm;

/// <summary>
/// The PCRs of a virtual TPM after a boot from a disk, as far as they follow from the artefacts: 4, 5, 7, 8, 9, 11, 12,
/// 14 and 15.
/// </summary>
public sealed class TpmBootMeasurement
{
    private static readonly ImmutableArray<int> Predicted = [4, 5, 7, 8, 9, 11, 12, 14, 15];

    private TpmBootMeasurement(ImmutableArray<MeasuredEvent> events, ImmutableSortedDictionary<int, HashValue> registers, ImmutableArray<NotCovered> notCovered)
    {
        Events = events;
        Registers = registers;
        NotCovered = notCovered;
    }

    /// <summary>Every extension of a predicted PCR, in order.</summary>
    public ImmutableArray<MeasuredEvent> Events { get; }

    /// <summary>The predicted PCRs.</summary>
    public ImmutableSortedDictionary<int, HashValue> Registers { get; }

    /// <summary>What is not predicted.</summary>
    public ImmutableArray<NotCovered> NotCovered { get; }

    /// <summary>Predicts the PCRs of one bank.</summary>
    /// <param name="inputs">What is booted.</param>
    /// <param name="bank">SHA-256 or SHA-384.</param>
    /// <exception cref="Formats.MalformedDataException">An image does not follow its format.</exception>
    public static TpmBootMeasurement Of(UefiBootInputs inputs, HashAlgorithmName bank)
    {
        var events = UefiBootEvents.Build(inputs, bank).Where(e => Predicted.Contains(e.Register)).ToImmutableArray();
        var registers = Replay(events, bank).Where(r => Predicted.Contains(r.Key)).ToImmutableSortedDictionary();
        return new TpmBootMeasurement(events, registers,
        [
            new("pcr0", "firmware code", "it depends on the cloud's or QEMU's firmware and is not predicted from the boot chain"),
            new("pcr1", "firmware configuration", "ACPI, SMBIOS and boot variables of the machine are not predicted"),
            new("pcr2", "option ROMs", "not predicted"),
            new("pcr3", "option ROM configuration", "not predicted"),
        ]);
    }

    /// <summary>Extends registers of zeros by the events of each; registers without events are zero.</summary>
    public static ImmutableSortedDictionary<int, HashValue> Replay(IEnumerable<MeasuredEvent> events, HashAlgorithmName bank)
    {
        var zero = HashValue.Zero(bank == HashAlgorithmName.SHA384 ? 48 : 32);
        var registers = Enumerable.Range(0, 16).ToDictionary(i => i, _ => zero);
        foreach (var measured in events)
            registers[measured.Register] = registers[measured.Register].Extend(measured.Digest);
        return registers.ToImmutableSortedDictionary();
    }
}
